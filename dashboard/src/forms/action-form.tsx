// The form of one mutation of a kind: its fields with their faults, a preview of the effect, and the mutation as text.
import { type FormEvent, type ReactNode, useCallback, useEffect, useId, useMemo, useState } from 'react';
import type { RefusalFragment } from '../../../generated/dashboard/graphql.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import { hrefOf } from '../route.ts';
import { Failures, failuresOf } from '../view/refusal.tsx';
import { useMutation, useShownKey } from '../view/use-mutation.ts';
import { formDocument } from './documents.ts';
import { type Draft, type DraftObject, formFields, readDraft, withDraft } from './draft.ts';
import { effectsOf, silentChanges } from './effects.ts';
import { placeRefusals } from './faults.ts';
import { Fields, renderFields } from './fields.tsx';
import { follow } from './follow.ts';
import { changeOfForm, placesIn } from './form-changes.ts';
import { FormContext } from './form-context.ts';
import { PreviewPanel } from './preview-panel.tsx';
import { previewOf } from './previewed.ts';
import { type Choice, noChoice } from './project-choice.ts';
import { SubmitRow } from './submit-row.tsx';
import type { Deed } from './text/shown.ts';
import { TextTabs } from './text-tabs.tsx';
import { useFaultFocus } from './use-fault-focus.ts';
import { changeOf, usePreview } from './use-preview.ts';
import { useStable } from './use-stable.ts';

export interface Sent {
  readonly made: JsonObject | null;
  /** Shown only once, by their names. */
  readonly secrets: Readonly<Record<string, string | null>>;
}

interface ActionFormProps {
  readonly kind: Kind;
  readonly verb: string;
  readonly action: Action;
  readonly draft: DraftObject;
  readonly onDraft: (draft: DraftObject) => void;
  /** The values that were read, if the form changes an object. Only fields that differ from them are sent. */
  readonly before?: DraftObject;
  readonly object?: NonNullable<Deed['object']>;
  readonly names: ReadonlyMap<string, string>;
  readonly places: Readonly<Record<string, string>>;
  readonly choice?: Choice;
  readonly label: string;
  /** Why it is not allowed. */
  readonly forbidden: string | null;
  /** Removes the message about the last attempt. */
  readonly onSending?: () => void;
  readonly onSent: (sent: Sent) => void;
  /** The object was changed in the meantime: it must be read again. */
  readonly onStale?: () => void;
  readonly children?: ReactNode;
}

export function ActionForm(props: ActionFormProps) {
  const { kind, verb, action, draft, onDraft, before, object, places, label, forbidden, onSent, onStale } = props;
  const { needed, none } = props.choice ?? noChoice;
  const prefix = useId();
  const document = useMemo(() => formDocument(kind, action), [kind, action]);
  const { isBusy, refusals, failures, send } = useMutation(document);
  const [isTried, setTried] = useState(false);
  const [picked, setPicked] = useState<ReadonlyMap<string, string>>(new Map());
  const onNamed = useCallback(
    (id: string, name: string) => setPicked((known) => (known.get(id) === name ? known : new Map(known).set(id, name))),
    [],
  );
  const read = useMemo(() => readDraft(action.input, draft, needed), [action, draft, needed]);
  const { input, faults, whole, isUnchanged } = changeOfForm({ kind, action, draft, before, object }, read);
  const placed = useMemo(() => placeRefusals(action.input, refusals), [action, refusals]);
  const { form, focusSoon } = useFaultFocus(placed);
  const shownKey = useShownKey(whole);
  const inForm = { ...places, ...placesIn(action, draft) };
  const names = picked.size === 0 ? props.names : new Map([...props.names, ...picked]);
  const previewed = previewOf(action);
  const effects = effectsOf(action.mutation, whole);
  const notes = silentChanges(action.mutation, before ?? {}, whole);
  const isReady = faults.length === 0 && !isUnchanged;
  const preview = usePreview(action, inForm, previewed !== undefined && isReady ? changeOf(action, whole) : undefined);
  const hasFields = formFields(action.input).length > 0;
  const hasBeside = hasFields && (previewed !== undefined || !isUnchanged);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each answer.
  useEffect(() => {
    if (refusals.some(isOfVersion)) onStale?.();
  }, [refusals]);

  const onChange = useStable((path: readonly string[], value: Draft | undefined) =>
    onDraft(follow(action.input, draft, withDraft(draft, path, value) as DraftObject)),
  );
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy || forbidden !== null || isUnchanged) return;
    setTried(true);
    if (faults.length > 0) return focusSoon();
    props.onSending?.();
    const payload = await send(whole as never);
    if (payload === undefined) return;
    setTried(false);
    const once = (action.secrets ?? []).map((name) => [name, (payload[name] as string | null | undefined) ?? null]);
    onSent({ made: payload.made ?? null, secrets: Object.fromEntries(once) });
  };
  const isStale = refusals.some(isOfVersion);
  const shownFaults = [...(isTried ? faults : []), ...placed.atFields];
  const deed: Deed = {
    ...{ kind, verb, action, input, idempotencyKey: shownKey, url: `${window.location.origin}${hrefOf('/graphql')}` },
    ...(object === undefined ? {} : { object }),
    ...{ names, missing: faults.map(({ path }) => path) },
  };
  return (
    <FormContext
      value={{
        ...{ faults: shownFaults, onNamed, places: inForm, isChange: before !== undefined, prefix, renderFields },
        ...{ names, needed, none, draft, notes },
      }}
    >
      <form ref={form} className="kind-form" noValidate onSubmit={(event) => void submit(event)}>
        {failures.length > 0 && refusals.length === 0 && <Failures failures={failures} />}
        <Failures
          failures={failuresOf(isStale && onStale !== undefined ? otherThanStale(placed.others) : placed.others)}
        />
        {placed.atFields.length > 0 && (
          <p className="warning" role="alert">
            Not saved. Fix the marked fields.
          </p>
        )}
        <div className={hasBeside ? 'form-columns' : undefined}>
          <div className="form-fields">
            {hasFields && <Fields input={action.input} path={[]} draft={draft} onChange={onChange} />}
            {props.children}
            <SubmitRow {...{ label, forbidden, isBusy }} isDisabled={isUnchanged}>
              {isUnchanged && forbidden === null && <span className="dim">Nothing is changed yet.</span>}
            </SubmitRow>
          </div>
          <div className="form-beside-text">
            <PreviewPanel of={previewed} preview={preview} effects={effects} notes={notes} />
            {!isUnchanged && <TextTabs deed={deed} />}
          </div>
        </div>
      </form>
    </FormContext>
  );
}

function isOfVersion({ code }: RefusalFragment): boolean {
  return code === 'STALE_VERSION';
}

function otherThanStale(refusals: readonly RefusalFragment[]): readonly RefusalFragment[] {
  return refusals.filter((each) => !isOfVersion(each));
}
