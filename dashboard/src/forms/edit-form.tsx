// An object: what can be changed of it, what else can be done with it, and links to new parts.
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
import { furtherVerbs, isEnd } from './form-address.ts';
import { KeptNote } from './kept-note.tsx';
import { newLink } from './links.ts';
import { linksOf, nameIn, namesOfLinks } from './names.ts';
import { titleOfAction } from './new-form.tsx';
import { OnceShown } from './once-shown.tsx';
import { partsOf } from './parts.ts';
import type { Deed } from './text/shown.ts';
import { isSameDraft, useKeeping, useKept } from './use-kept-draft.ts';

interface EditFormProps {
  readonly kind: Kind;
  readonly id: string;
}

/** What was read stays while it can't be read again, with all that was entered, and with secrets that are shown once. */
export function EditForm({ kind, id }: EditFormProps) {
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
      <p className="warning">
        There is no {wordsOf(kind)} with this id that you may see. It may have been deleted in the meantime.
      </p>
    );
  return (
    <>
      {failure !== null && <Failures failures={[failure]} />}
      <ObjectForms
        kind={kind}
        id={id}
        object={object}
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

function ObjectForms({ kind, id, object, onChanged, onEnded }: ObjectFormsProps) {
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

interface CommonProps {
  readonly kind: Kind;
  readonly object: NonNullable<Deed['object']>;
  readonly names: ReadonlyMap<string, string>;
  readonly places: Readonly<Record<string, string>>;
  readonly action: Action;
  readonly forbidden: string | null;
}

interface UpdateFormProps extends CommonProps {
  readonly read: JsonObject;
  readonly onChanged: () => void;
}

/** What is read again after a change by others is the new base: own changes are laid over it, until a person chooses otherwise. */
function UpdateForm({ kind, action, read, onChanged, ...props }: UpdateFormProps) {
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
    // Those of links that are no longer there are still shown.
    setNames(new Map([...names, ...props.names]));
    if (isStale) setConflicts(conflictsOf(kind, action, { began, after, draft }));
    else setBegan(after);
    setDraft(sent === null ? rebased(action, draft, before, after) : after);
  }
  useKeeping(
    { input: action.input, verb: 'update' },
    { draft, before, isEmpty: sent !== null || isSameDraft(draft, before) },
  );
  return (
    <>
      {kept !== undefined && sent === null && <KeptNote />}
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

interface FurtherFormProps extends CommonProps {
  readonly verb: string;
  readonly presets: DraftObject;
  readonly onDone: (isOver: boolean) => void;
  readonly onStale: () => void;
}

/** It opens first: that, and its button, are the confirmation. */
function FurtherForm({ kind, verb, action, object, presets, onDone, onStale, ...props }: FurtherFormProps) {
  const [draft, setDraft] = useState<DraftObject>(presets);
  const [isOpen, setOpen] = useState(false);
  const [sent, setSent] = useState<Sent | null>(null);
  const [staleVersion, setStaleVersion] = useState<number>();
  const label = isEnd(verb) ? `${titleOf(verb)} ${object.name}` : titleOf(verb);
  return (
    <details
      className={isEnd(verb) ? 'further end' : 'further'}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{titleOf(verb)}…</summary>
      {isOpen && (
        <>
          <p className="dim">{action.description}</p>
          <ActionForm
            {...props}
            {...{ kind, verb, action, draft, object, label }}
            onDraft={setDraft}
            onSending={() => setSent(null)}
            onSent={(done) => {
              setSent(done);
              setStaleVersion(undefined);
              setDraft(presets);
              onDone(isEnd(verb));
            }}
            onStale={() => {
              setStaleVersion(object.version);
              onStale();
            }}
          >
            {staleVersion !== undefined && staleVersion !== object.version && (
              <p className="warning" role="alert">
                Not saved: it was changed in the meantime. Check its new values above, then try again.
              </p>
            )}
          </ActionForm>
          {sent !== null && (
            <p role="status" className="saved">
              It is done.
            </p>
          )}
          {sent !== null && verb !== 'revoke' && <OnceShown secrets={sent.secrets} />}
        </>
      )}
    </details>
  );
}
