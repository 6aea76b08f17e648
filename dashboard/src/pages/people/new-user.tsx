// A new user with a project and a role in one step. The password is made here, and shown once to be handed over.
import { type FormEvent, useCallback, useState } from 'react';
import {
  PeopleMembershipSetDocument,
  PeopleProjectsDocument,
  PeopleUserCreateDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { CopyButton } from '../../forms/copy-button.tsx';
import { formatWord } from '../../view/format.ts';
import { Failures } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { useReading } from '../../view/use-reading.ts';
import { type Role, roles } from './roles.tsx';
import { everyMs, useNews } from './use-news.ts';

interface Made {
  readonly id: string;
  readonly name: string;
  readonly password: string;
}

const noProject = '';

export function NewUser() {
  const projects = useProjects();
  const users = useMutation(PeopleUserCreateDocument);
  const memberships = useMutation(PeopleMembershipSetDocument);
  const [name, setName] = useState('');
  // It stays the same while a request is repeated, so that its key fits.
  const [password, setPassword] = useState(newPassword);
  const [picked, setPicked] = useState<string>();
  const [role, setRole] = useState<Role>('MEMBER');
  const [made, setMade] = useState<Made>();
  const [isMember, setMember] = useState(false);
  const projectId = picked ?? projects?.[0]?.id ?? noProject;
  const isBusy = users.isBusy || memberships.isBusy;

  const join = async (userId: string): Promise<void> => {
    if (projectId === noProject) return;
    setMember((await memberships.send({ projectId, userId, role })) !== undefined);
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy || name.trim() === '') return;
    setMade(undefined);
    setMember(false);
    const payload = await users.send({ name: name.trim(), password, admin: false });
    const user = payload?.user;
    if (user == null) return;
    setMade({ id: user.id, name: user.name, password });
    setName('');
    setPassword(newPassword());
    await join(user.id);
  };
  const place = projects?.find(({ id }) => id === projectId)?.name;
  return (
    <form className="new-user" onSubmit={(event) => void submit(event)}>
      <div className="new-user-fields">
        <label>
          Name
          <input value={name} maxLength={63} autoComplete="off" onChange={({ target }) => setName(target.value)} />
        </label>
        <label>
          Project
          <select value={projectId} onChange={({ target }) => setPicked(target.value)}>
            {projects?.map((project) => (
              <option key={project.id} value={project.id}>
                {project.name}
              </option>
            ))}
            <option value={noProject}>none</option>
          </select>
        </label>
        <label>
          Role
          <select
            value={role}
            disabled={projectId === noProject}
            onChange={({ target }) => setRole(target.value as Role)}
          >
            {roles.map((each) => (
              <option key={each} value={each}>
                {formatWord(each)}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" className="primary" disabled={isBusy || name.trim() === ''}>
          Create user
        </button>
      </div>
      <Failures failures={users.failures} />
      {made !== undefined && (
        <Handover
          made={made}
          words={isMember && place !== undefined ? `a member of ${place}, as ${formatWord(role)}` : 'created'}
        />
      )}
      {made !== undefined && memberships.failures.length > 0 && (
        <>
          <Failures failures={memberships.failures} />
          <button type="button" disabled={isBusy} onClick={() => void join(made.id)}>
            {`Add ${made.name} to ${place ?? 'the project'} again`}
          </button>
        </>
      )}
    </form>
  );
}

function Handover({ made: { name, password }, words }: { readonly made: Made; readonly words: string }) {
  return (
    <div className="once" role="status">
      <p>{`${name} is ${words}. Hand over this password now: nobody can show it again.`}</p>
      <code data-secret="password">{password}</code>
      <CopyButton text={password} what="the password" />
    </div>
  );
}

function useProjects() {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(PeopleProjectsDocument, { text: null, after: null })).projects.nodes,
    [requester],
  );
  return useReading(read, useNews(), everyMs).value;
}

/** 100 random bits, in letters and digits that nobody mistakes for others. */
function newPassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
  const text = Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => letters[byte % letters.length]).join(
    '',
  );
  return text.match(/.{5}/g)?.join('-') ?? text;
}
