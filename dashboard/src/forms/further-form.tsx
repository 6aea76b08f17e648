// An action on an object other than changing its settings. It opens first. To delete an object that serves traffic, the user types its name.
import { useId, useState } from 'react';
import { askedDeletions } from '../../../schema/kinds/asked-deletions.ts';
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import { ActionForm, type Sent } from './action-form.tsx';
import type { DraftObject } from './draft.ts';
import { isEnd } from './form-address.ts';
import { OnceShown } from './once-shown.tsx';
import type { Deed } from './text/shown.ts';

export interface CommonProps {
  readonly kind: Kind;
  readonly object: NonNullable<Deed['object']>;
  readonly names: ReadonlyMap<string, string>;
  readonly places: Readonly<Record<string, string>>;
  readonly action: Action;
  readonly forbidden: string | null;
}

interface FurtherFormProps extends CommonProps {
  readonly verb: string;
  readonly presets: DraftObject;
  readonly onDone: (isOver: boolean) => void;
  readonly onStale: () => void;
}

/** It opens first: that, and its button, are the confirmation. */
export function FurtherForm({ kind, verb, action, object, presets, onDone, onStale, ...props }: FurtherFormProps) {
  const [draft, setDraft] = useState<DraftObject>(presets);
  const [isOpen, setOpen] = useState(false);
  const [sent, setSent] = useState<Sent | null>(null);
  const [staleVersion, setStaleVersion] = useState<number>();
  const [typed, setTyped] = useState('');
  const isGuarded = isEnd(verb) && askedDeletions.has(kind.type);
  const unnamed = isGuarded && typed.trim() !== object.name ? `Type ${object.name} first.` : null;
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
            forbidden={props.forbidden ?? unnamed}
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
            {isGuarded && props.forbidden === null && <TypedName name={object.name} typed={typed} onTyped={setTyped} />}
            {staleVersion !== undefined && staleVersion !== object.version && (
              <p className="warning" role="alert">
                Not saved: it was changed in the meantime. Check its new values above, then try again.
              </p>
            )}
          </ActionForm>
          {sent !== null && (
            <p role="status" className="saved">
              Done.
            </p>
          )}
          {sent !== null && verb !== 'revoke' && <OnceShown secrets={sent.secrets} />}
        </>
      )}
    </details>
  );
}

function TypedName(props: { readonly name: string; readonly typed: string; readonly onTyped: (text: string) => void }) {
  const id = useId();
  return (
    <p className="form-field">
      <label htmlFor={id}>
        Type <b>{props.name}</b> to delete it
      </label>
      <input
        id={id}
        value={props.typed}
        autoComplete="off"
        spellCheck={false}
        onChange={({ currentTarget }) => props.onTyped(currentTarget.value)}
      />
    </p>
  );
}
