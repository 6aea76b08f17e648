// The form of a new object, or of an action that belongs to no single object.
import { useMemo, useState } from 'react';
import { isObject, type JsonObject } from '../../../platform/values/json.ts';
import type { Kind } from '../../../schema/kinds/kind.ts';
import { titleOf, wordsOf } from '../../../schema/kinds/words.ts';
import { useLiveState } from '../context.ts';
import { linkTo } from '../links.ts';
import { Link } from '../view/link.tsx';
import { forbiddenBy } from '../view/permissions.ts';
import { Failures } from '../view/refusal.tsx';
import { ActionForm, type Sent } from './action-form.tsx';
import { type DraftObject, noObject } from './draft.ts';
import type { Asked } from './form-address.ts';
import { ProposalNote } from './history/proposal-note.tsx';
import { type Proposal, useProposal, withProposal } from './history/use-proposal.ts';
import { KeptNote } from './kept-note.tsx';
import { layoutOf } from './layout/arrange.ts';
import { editLink, newLink } from './links.ts';
import { nameIn } from './names.ts';
import { OnceShown } from './once-shown.tsx';
import { partsOf } from './parts.ts';
import { projectChoice } from './project-choice.ts';
import { isSameDraft, useKeeping, useKept } from './use-kept-draft.ts';
import { useSeveral } from './use-several.ts';

type AskedNew = Extract<Asked, { readonly what: 'new' }>;

/** `Create a load balancer`. */
export function titleOfAction(kind: Kind, verb: string): string {
  const words = wordsOf(kind);
  const article = /^(a|e|i|o|l7)/i.test(words) ? 'an' : 'a';
  const titles: Readonly<Record<string, string>> = { create: 'Create', set: 'Set', delete: 'Delete', remove: 'Remove' };
  if (kind.type === 'Membership' && verb === 'set') return 'Add a member';
  const title = titles[verb];
  return title === undefined ? `${titleOf(verb)} (${words})` : `${title} ${article} ${words}`;
}

export function NewForm({ asked }: { readonly asked: AskedNew }) {
  const { kind, verb, action } = asked;
  const { viewer } = useLiveState();
  const several = useSeveral(action);
  const choice = useMemo(() => {
    const ofProject = projectChoice(kind, action, viewer);
    return { ...ofProject, needed: { ...ofProject.needed, ...several } };
  }, [kind, action, viewer, several]);
  const presets = { ...layoutOf(action.input)?.start, ...choice.presets, ...asked.presets };
  const kept = useKept({ verb });
  const [draft, setDraft] = useState<DraftObject>({ ...presets, ...kept?.draft });
  const { proposal, failure } = useProposal(asked.wayBack, action.mutation);
  const [filledIn, setFilledIn] = useState<Proposal>();
  if (proposal !== undefined && proposal !== filledIn) {
    setFilledIn(proposal);
    if (proposal.input !== null) setDraft(withProposal(action.input, draft, proposal.input));
  }
  const [sent, setSent] = useState<Sent | null>(null);
  const isEmpty = sent !== null || isSameDraft(draft, presets);
  useKeeping({ input: action.input, verb }, { draft, isEmpty });
  const chosen = typeof draft.projectId === 'string' ? draft.projectId : undefined;
  const projectId = chosen === noObject ? undefined : chosen;
  if (sent !== null)
    return (
      <Done
        kind={kind}
        verb={verb}
        sent={sent}
        onAnother={() => {
          setSent(null);
          setDraft(presets);
        }}
      />
    );
  return (
    <section className="form-page" aria-labelledby="form-title">
      <h2 id="form-title">{titleOfAction(kind, verb)}</h2>
      <p className="dim">{kind.description}</p>
      {kept !== undefined && <KeptNote />}
      {failure !== null && <Failures failures={[failure]} />}
      {proposal !== undefined && <ProposalNote isNew way={asked.wayBack?.way} proposal={proposal} />}
      <ActionForm
        {...{ kind, verb, action, draft, choice, names: choice.names, places: {} }}
        onDraft={setDraft}
        label={titleOfAction(kind, verb)}
        forbidden={forbiddenBy(viewer, action.role, projectId)}
        onSent={setSent}
      />
    </section>
  );
}

interface DoneProps {
  readonly kind: Kind;
  readonly verb: string;
  readonly sent: Sent;
  readonly onAnother: () => void;
}

function Done({ kind, verb, sent: { made, secrets }, onAnother }: DoneProps) {
  const name = made === null ? undefined : nameIn(kind, made);
  const id = idOf(made);
  const page = id === undefined ? undefined : linkTo(kind.type, id);
  const isMade = verb === 'create';
  return (
    <section className="form-page" aria-labelledby="form-title">
      <h2 id="form-title" role="status">
        {isMade
          ? `The ${wordsOf(kind)} ${name ?? ''} is created.`
          : (memberWords(made) ?? `${titleOfAction(kind, verb)}: done.`)}
      </h2>
      <OnceShown secrets={secrets} />
      <ul className="form-next">
        {page !== undefined && (
          <li>
            <Link href={page}>Show it</Link>
          </li>
        )}
        {id !== undefined && isMade && (
          <li>
            <Link href={editLink(kind.type, id)}>Change it</Link>
          </li>
        )}
        {id !== undefined &&
          isMade &&
          partsOf(kind).map(({ part, input }) => (
            <li key={part.type}>
              <Link href={newLink(part.type, { [input]: id })}>{titleOfAction(part, 'create')} for it</Link>
            </li>
          ))}
        <li>
          <button type="button" onClick={onAnother}>
            {isMade ? 'Create another' : 'Add another'}
          </button>
        </li>
      </ul>
    </section>
  );
}

/** The message after adding a member: `bob is a member of default.` */
function memberWords(made: JsonObject | null): string | undefined {
  const { user, project } = made ?? {};
  if (!isObject(user) || !isObject(project)) return undefined;
  return `${String(user.name)} is a member of ${String(project.name)}.`;
}

function idOf(made: JsonObject | null): string | undefined {
  return isObject(made) && typeof made.id === 'string' ? made.id : undefined;
}
