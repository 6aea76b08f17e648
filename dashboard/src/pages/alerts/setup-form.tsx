// Rules and their channel in one step: `Tell me when anything is down`. A new destination is tried before it is kept.
import { type FormEvent, useCallback, useId, useState } from 'react';
import {
  AlertsChannelsDocument,
  AlertsChannelTestDocument,
  AlertsTargetTestDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { OnceShown } from '../../forms/once-shown.tsx';
import { Failures } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { useReading } from '../../view/use-reading.ts';
import { conditionWords, rulesOf, templates } from './condition-words.ts';
import {
  emptyTarget,
  type TargetDraft,
  TargetFields,
  type TargetKind,
  targetKinds,
  targetOf,
} from './target-fields.tsx';
import { everyMs, useNews } from './use-alerts.ts';
import { useSetup, type Wanted } from './use-setup.ts';

const installation = '';

export function SetupForm({ projectId: chosen }: { readonly projectId: string | null }) {
  const { viewer } = useLiveState();
  const operated = viewer?.projects.filter(({ role }) => viewer.admin || role === 'OPERATOR') ?? [];
  const usual = chosen ?? (viewer?.admin === true ? installation : (operated[0]?.project.id ?? installation));
  const [scope, setScope] = useState(usual);
  const projectId = scope === installation ? null : scope;
  const channels = useChannels(projectId);
  const [at, setAt] = useState(0);
  const [picked, setPicked] = useState<string>();
  const [name, setName] = useState('ops');
  const [target, setTarget] = useState<TargetDraft>(emptyTarget);
  const setup = useSetup();
  const template = templates[at];
  // The first channel there is, else a new one.
  const channelId = picked ?? channels?.[0]?.id ?? target.kind;
  const isNew = Object.hasOwn(targetKinds, channelId);
  const given = isNew ? targetOf(target) : undefined;
  const channel = !isNew
    ? channelId
    : given === undefined || name.trim() === ''
      ? undefined
      : { name: name.trim(), target: given };
  const pick = (value: string): void => {
    setPicked(value);
    if (Object.hasOwn(targetKinds, value)) setTarget({ ...target, kind: value as TargetKind });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (template !== undefined && channel !== undefined && !setup.isBusy)
      void setup.make({ template, projectId, channel });
  };
  return (
    <form className="alert-setup" onSubmit={submit}>
      <Templates at={at} projectId={projectId} onPick={setAt} />
      <div className="alert-setup-fields">
        <label>
          In
          <select value={scope} onChange={({ target: { value } }) => setScope(value)}>
            {viewer?.admin === true && <option value={installation}>all projects</option>}
            {operated.map(({ project }) => (
              <option key={project.id} value={project.id}>
                {project.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Send it to
          <select value={channelId} onChange={({ target: { value } }) => pick(value)}>
            {channels?.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
            {Object.entries(targetKinds).map(([kind, word]) => (
              <option key={kind} value={kind}>{`new channel: ${word}`}</option>
            ))}
          </select>
        </label>
        {isNew && (
          <>
            <label>
              Name
              <input value={name} maxLength={63} onChange={({ target: { value } }) => setName(value)} />
            </label>
            <TargetFields draft={target} onChange={setTarget} />
          </>
        )}
      </div>
      <div className="actions">
        <button type="submit" className="primary" disabled={channel === undefined || setup.isBusy}>
          Create
        </button>
        <TestButton key={JSON.stringify([projectId, channelId, given])} projectId={projectId} channel={channel} />
      </div>
      <Failures failures={setup.failures} />
      {setup.made !== undefined && (
        <>
          <p role="status" className="saved">
            {setup.made.rules.length === 1 ? '1 rule is created.' : `${setup.made.rules.length} rules are created.`}
          </p>
          {setup.made.secret !== null && <OnceShown secrets={{ secret: setup.made.secret }} />}
        </>
      )}
    </form>
  );
}

interface TemplatesProps {
  readonly at: number;
  readonly projectId: string | null;
  readonly onPick: (at: number) => void;
}

function Templates({ at, projectId, onPick }: TemplatesProps) {
  const id = useId();
  const template = templates[at];
  const words = template && rulesOf(template, projectId).map(([, condition]) => conditionWords[condition]);
  return (
    <>
      <fieldset>
        <legend>Tell me when</legend>
        {templates.map(({ title }, index) => (
          <label key={title} className="choice">
            <input type="radio" name={id} checked={at === index} onChange={() => onPick(index)} />
            {title}
          </label>
        ))}
      </fieldset>
      <p className="dim">{words && `When ${words.join('; or when ')}.`}</p>
    </>
  );
}

interface TestButtonProps {
  readonly projectId: string | null;
  readonly channel: Wanted['channel'] | undefined;
}

/** What it says holds until something else is to be tried. */
function TestButton({ projectId, channel }: TestButtonProps) {
  const channels = useMutation(AlertsChannelTestDocument);
  const targets = useMutation(AlertsTargetTestDocument);
  const [sent, setSent] = useState<string>();
  const test = async (): Promise<void> => {
    setSent(undefined);
    if (typeof channel === 'string') {
      if ((await channels.send({ id: channel })) !== undefined) setSent('Sent. The channel shows what became of it.');
    } else if (channel !== undefined) {
      const done = await targets.send({ projectId, target: channel.target });
      if (done !== undefined) setSent('Delivered.');
    }
  };
  const isBusy = channels.isBusy || targets.isBusy;
  return (
    <>
      <button type="button" disabled={channel === undefined || isBusy} aria-busy={isBusy} onClick={() => void test()}>
        {isBusy ? 'Sending…' : 'Send a test'}
      </button>
      {sent !== undefined && <span role="status">{sent}</span>}
      <Failures failures={[...channels.failures, ...targets.failures]} />
    </>
  );
}

/** Those that rules of this project, or of the installation, can use. */
function useChannels(projectId: string | null) {
  const { requester } = useDependencies();
  const read = useCallback(
    async () =>
      (await requester.request(AlertsChannelsDocument, { projectId, text: null, after: null })).alertChannels.nodes,
    [requester, projectId],
  );
  const { value } = useReading(read, useNews(), everyMs);
  return value?.filter(({ project }) => (project?.id ?? null) === projectId);
}
