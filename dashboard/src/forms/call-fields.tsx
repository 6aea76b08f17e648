// The fields of a call to a backend, its dry run, and its outcome.
import { type FormEvent, useCallback, useId, useMemo, useState } from 'react';
import type { FormBackendQuery } from '../../../generated/dashboard/graphql.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import type { Action } from '../../../schema/kinds/kind.ts';
import { linkTo } from '../links.ts';
import { hrefOf } from '../route.ts';
import { formatWord } from '../view/format.ts';
import { Link } from '../view/link.tsx';
import { Failures, failuresOf } from '../view/refusal.tsx';
import { useMutation, useShownKey } from '../view/use-mutation.ts';
import { callDeed, callInput, titleOfCall } from './calls.ts';
import { callDocument } from './documents.ts';
import { type Draft, type DraftObject, readDraft, withDraft } from './draft.ts';
import { placeRefusals } from './faults.ts';
import { Fields, renderFields } from './fields.tsx';
import { FormContext } from './form-context.ts';
import { KeptNote } from './kept-note.tsx';
import { SubmitRow } from './submit-row.tsx';
import { TextTabs } from './text-tabs.tsx';
import { useFaultFocus } from './use-fault-focus.ts';
import { isSameDraft, useKeeping, useKept } from './use-kept-draft.ts';
import { type DryRun, WirePreview } from './wire-preview.tsx';

type CalledBackend = NonNullable<FormBackendQuery['backend']>;

interface CallFieldsProps {
  readonly action: Action;
  readonly backend: CalledBackend;
  readonly presets: DraftObject;
  /** Why it is not allowed. */
  readonly forbidden: string | null;
}

interface Outcome {
  readonly id: string;
  readonly state: string;
  readonly deviceError: { readonly code: string; readonly message: string } | null;
}

export function CallFields({ action, backend, presets, forbidden }: CallFieldsProps) {
  const prefix = useId();
  const document = useMemo(() => callDocument(action), [action]);
  const sending = useMutation(document);
  const trying = useMutation(document);
  const kept = useKept({ verb: 'call' });
  const [draft, setDraft] = useState<DraftObject>({ ...presets, ...kept?.draft });
  const [isTried, setTried] = useState(false);
  const [isDry, setDry] = useState(false);
  const [dryRun, setDryRun] = useState<DryRun | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const onNamed = useCallback((id: string, name: string) => setNames((known) => new Map(known).set(id, name)), []);
  const { input, faults } = useMemo(() => readDraft(action.input, draft), [action, draft]);
  const { refusals, failures } = isDry ? trying : sending;
  const placed = useMemo(() => placeRefusals(action.input, refusals), [action, refusals]);
  const { form, focusSoon } = useFaultFocus(placed);
  const whole = callInput(backend.id, input);
  const shownKey = useShownKey(whole);
  const isBusy = sending.isBusy || trying.isBusy;
  // A second click, or a key that is held, must not carry it out again.
  const isDone = outcome !== null;
  useKeeping({ input: action.input, verb: 'call' }, { draft, isEmpty: isDone || isSameDraft(draft, presets) });

  const send = async (isDryRun: boolean): Promise<void> => {
    if (isBusy || forbidden !== null || (isDone && !isDryRun)) return;
    setTried(true);
    if (faults.length > 0) return focusSoon();
    setDry(isDryRun);
    if (isDryRun) {
      const tried = await trying.send({ ...whole, dryRun: true } as never);
      if (tried !== undefined)
        setDryRun({ of: textOf(whole), wireCall: tried.wireCall ?? null, deviceCheck: tried.deviceCheck ?? null });
      return;
    }
    const made = await sending.send(whole as never);
    if (made !== undefined) setOutcome(made.operation ?? null);
  };
  return (
    <FormContext
      value={{
        ...{ faults: [...(isTried ? faults : []), ...placed.atFields], names, onNamed, places: {}, needed: {} },
        ...{ none: {}, isChange: false, renderFields, prefix, draft, notes: [] },
      }}
    >
      <form
        ref={form}
        className="kind-form"
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void send(false);
        }}
      >
        {kept !== undefined && !isDone && <KeptNote />}
        {refusals.length === 0 && <Failures failures={failures} />}
        <Failures failures={failuresOf(placed.others)} />
        <Fields
          input={action.input}
          path={[]}
          draft={draft}
          onChange={(path, value) => {
            setOutcome(null);
            setDraft(withDraft(draft, path, value as Draft) as DraftObject);
          }}
        />
        <WirePreview
          dryRun={dryRun?.of === textOf(whole) ? dryRun : null}
          isBusy={trying.isBusy}
          isAllowed={forbidden === null}
          onAsk={() => void send(true)}
        />
        <SubmitRow {...{ forbidden, label: titleOfCall(action), isDisabled: isDone, isBusy: sending.isBusy }} />
        {outcome !== null && <OutcomeNote outcome={outcome} onAgain={() => setOutcome(null)} />}
        <TextTabs
          deed={callDeed(action, {
            ...{ input: whole, missing: faults.map(({ path }) => path), idempotencyKey: shownKey },
            url: `${window.location.origin}${hrefOf('/graphql')}`,
          })}
        />
      </form>
    </FormContext>
  );
}

function textOf(input: JsonObject): string {
  return JSON.stringify(input);
}

interface OutcomeNoteProps {
  readonly outcome: Outcome;
  readonly onAgain: () => void;
}

function OutcomeNote({ outcome: { id, state, deviceError }, onAgain }: OutcomeNoteProps) {
  return (
    <p role="status" className={state === 'SUCCEEDED' ? 'saved' : 'warning'}>
      The call is <b data-status={state}>{formatWord(state)}</b>
      {deviceError !== null && `: ${deviceError.code}: ${deviceError.message}`}.{' '}
      <Link href={linkTo('RelayOperation', id) ?? '/relay'}>Show it</Link>{' '}
      <button type="button" className="quiet" onClick={onAgain}>
        Prepare another call
      </button>
    </p>
  );
}
