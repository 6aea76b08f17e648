// The form of an existing object: its settings, its other actions, and links to new parts.
import { useMemo, useState } from 'react';
import { registry } from '../../../generated/kinds/registry.ts';
import { isObject, type JsonObject } from '../../../platform/values/json.ts';
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import { plain } from '../../../schema/kinds/plain.ts';
import { titleOf, wordsOf } from '../../../schema/kinds/words.ts';
import { useLiveState } from '../context.ts';
import { linkTo } from '../links.ts';
import { Link } from '../view/link.tsx';
import { forbiddenBy } from '../view/permissions.ts';
import { Failures } from '../view/refusal.tsx';
import { useDetail } from '../view/use-detail.ts';
import { ActionForm, type Sent } from './action-form.tsx';
import { type Conflict, conflictsOf, draftOfObject, rebased } from './changes.ts';
import { ConflictView } from './conflict-view.tsx';
import { readDocument } from './documents.ts';
import { type DraftObject, withDraft } from './draft.ts';
import { furtherVerbs } from './form-address.ts';
import { type CommonProps, FurtherForm } from './further-form.tsx';
import { HistoryPanel } from './history/history-panel.tsx';
import { ProposalNote } from './history/proposal-note.tsx';
import { type Proposal, useProposal, withProposal } from './history/use-proposal.ts';
import { KeptNote } from './kept-note.tsx';
import { newLink, type WayBack } from './links.ts';
import { linksOf, nameIn, namesOfLinks } from './names.ts';
import { titleOfAction } from './new-form.tsx';
import { OnceShown } from './once-shown.tsx';
import { partsOf } from './parts.ts';
import type { Deed } from './text/shown.ts';
import { isSameDraft, useKeeping, useKept } from './use-kept-draft.ts';

interface EditFormProps {
  readonly kind: Kind;
  readonly id: string;
  readonly wayBack: WayBack | undefined;
}

/** If a later reading fails, the form keeps the last object, all input, and secrets that are shown once. */
export function EditForm({ kind, id, wayBack }: EditFormProps) {
  const [ended, setEnded] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  const document = useMemo(() => readDocument(kind), [kind]);
  const { detail, isGone, failure } = useDetail(document, id, round);
  const object = useMemo(() => (detail?.__typename === kind.type ? plain(kind, detail) : null), [kind, detail]);
  if (ended !== null)
    return (
      <section className="form-page">
        <h2 role="status">{ended}</h2>
      </section>
    );
  if (object === null && detail === null && !isGone)
    return failure === null ? <p className="hint">Reading…</p> : <Failures failures={[failure]} />;
  if (object === null)
    return (
      <section className="form-page">
        <p className="warning">
          There is no {wordsOf(kind)} with this id that you may see. If it was deleted, its history is below.
        </p>
        <HistoryPanel id={id} news="" names={new Map()} />
      </section>
    );
  return (
    <>
      {failure !== null && <Failures failures={[failure]} />}
      <ObjectForms
        {...{ kind, id, object, wayBack }}
        onChanged={() => setRound((before) => before + 1)}
        onEnded={setEnded}
      />
    </>
  );
}

interface ObjectFormsProps extends EditFormProps {
  readonly object: JsonObject;
  readonly onChanged: () => void;
  readonly onEnded: (what: string) => void;
}

function ObjectForms({ kind, id, object, wayBack, onChanged, onEnded }: ObjectFormsProps) {
  const { viewer } = useLiveState();
  const name = nameIn(kind, object);
  const { update } = kind.actions;
  const project = object.project;
  const projectId = isObject(project) ? String(project.id) : undefined;
  const places = { ...linksOf(kind, object), [kind.type]: id };
  const parent = kind.parent === undefined ? undefined : object[kind.parent.link];
  const known: NonNullable<Deed['object']> = {
    ...{ id, name },
    ...(typeof object.version === 'number' ? { version: object.version } : {}),
    ...(isObject(parent) ? { parentId: String(parent.id) } : {}),
    ...(isObject(project) && typeof project.name === 'string' ? { project: project.name } : {}),
  };
  const common = { kind, object: known, names: namesOfLinks(kind, object), places };
  const page = linkTo(kind.type, id);
  const further = furtherVerbs(kind, (action) => takes(action, 'id') || isOfParent(kind, action));
  return (
    <section className="form-page" aria-labelledby="form-title">
      <h2 id="form-title">
        {titleOf(wordsOf(kind))} {name}
      </h2>
      <ul className="form-next">
        {page !== undefined && (
          <li>
            <Link href={page}>Show it</Link>
          </li>
        )}
        {partsOf(kind).map(({ part, input }) => (
          <li key={part.type}>
            <Link href={newLink(part.type, { [input]: id })}>{titleOfAction(part, 'create')} for it</Link>
          </li>
        ))}
      </ul>
      {update !== undefined && (
        <UpdateForm
          {...common}
          action={update}
          read={object}
          wayBack={wayBack}
          forbidden={forbiddenBy(viewer, update.role, projectId)}
          onChanged={onChanged}
        />
      )}
      {further.map((verb) => (
        <FurtherForm
          key={verb}
          {...common}
          verb={verb}
          action={kind.actions[verb] as Action}
          presets={
            isOfParent(kind, kind.actions[verb] as Action) ? { [kind.parent?.input ?? '']: known.parentId ?? '' } : {}
          }
          forbidden={forbiddenBy(viewer, kind.actions[verb]?.role ?? '', projectId)}
          onDone={(isOver) =>
            isOver ? onEnded(`The ${wordsOf(kind)} ${name} is ${endWords[verb] ?? 'gone'}.`) : onChanged()
          }
          onStale={onChanged}
        />
      ))}
      {update !== undefined && <HistoryPanel id={id} news={JSON.stringify(object)} names={common.names} />}
    </section>
  );
}

const endWords: Readonly<Record<string, string>> = {
  ...{ delete: 'deleted', remove: 'removed', revoke: 'revoked' },
};

function takes({ input }: Action, name: string): boolean {
  return registry.inputs[input]?.fields.some((each) => each.name === name) === true;
}

/** The one part of an object is named by it. */
function isOfParent({ parent }: Kind, action: Action): boolean {
  return parent?.has === 'one' && !takes(action, 'id') && takes(action, parent.input);
}

interface UpdateFormProps extends CommonProps {
  readonly read: JsonObject;
  readonly wayBack: WayBack | undefined;
  readonly onChanged: () => void;
}

/** After a change by others, the object is read again. The user's changes are kept on top of it until the user chooses otherwise. */
function UpdateForm({ kind, action, read, wayBack, onChanged, ...props }: UpdateFormProps) {
  const { proposal, failure } = useProposal(wayBack, action.mutation);
  const [filledIn, setFilledIn] = useState<Proposal>();
  const [before, setBefore] = useState(() => draftOfObject(kind, action, read));
  const [began, setBegan] = useState(before);
  const kept = useKept({ verb: 'update' });
  const [draft, setDraft] = useState<DraftObject>(() =>
    kept === undefined ? before : rebased(action, kept.draft, kept.before ?? before, before),
  );
  const [sent, setSent] = useState<Sent | null>(null);
  // They stay while another change is entered: nobody can show them again.
  const [secrets, setSecrets] = useState<Sent['secrets']>({});
  const [isStale, setStale] = useState(false);
  const [conflicts, setConflicts] = useState<readonly Conflict[]>();
  const [names, setNames] = useState(props.names);
  const [base, setBase] = useState(read);
  if (base !== read) {
    const after = draftOfObject(kind, action, read);
    setBase(read);
    setBefore(after);
    // Names from links that are gone are still shown.
    setNames(new Map([...names, ...props.names]));
    if (isStale) setConflicts(conflictsOf(kind, action, { began, after, draft }));
    else setBegan(after);
    setDraft(sent === null ? rebased(action, draft, before, after) : after);
  }
  if (proposal !== undefined && proposal !== filledIn) {
    setFilledIn(proposal);
    if (proposal.input !== null) setDraft(withProposal(action.input, draft, proposal.input));
  }
  useKeeping(
    { input: action.input, verb: 'update' },
    { draft, before, isEmpty: sent !== null || isSameDraft(draft, before) },
  );
  return (
    <>
      {kept !== undefined && sent === null && <KeptNote />}
      {failure !== null && <Failures failures={[failure]} />}
      {proposal !== undefined && sent === null && <ProposalNote way={wayBack?.way} proposal={proposal} />}
      <ActionForm
        {...props}
        {...{ kind, action, before, draft, names, verb: 'update', label: 'Save' }}
        onDraft={(next) => {
          setSent(null);
          setDraft(next);
        }}
        onSent={(done) => {
          setSent(done);
          if (Object.values(done.secrets).some((each) => each !== null)) setSecrets(done.secrets);
          setStale(false);
          setConflicts(undefined);
          onChanged();
        }}
        onStale={() => {
          setStale(true);
          onChanged();
        }}
      >
        {conflicts !== undefined && (
          <ConflictView
            conflicts={conflicts}
            draft={draft}
            onTake={(name, value) => setDraft(withDraft(draft, [name], value) as DraftObject)}
          />
        )}
      </ActionForm>
      {sent !== null && (
        <p role="status" className="saved">
          Saved.
        </p>
      )}
      <OnceShown secrets={secrets} />
    </>
  );
}
