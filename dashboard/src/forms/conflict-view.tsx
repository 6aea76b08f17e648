// Fields that others changed while a person filled in the form. Each shows the old, the present and the wanted value, and the person chooses
// which one is saved.
import { canonicalJson } from '../../../platform/values/json.ts';
import type { Conflict } from './changes.ts';
import type { Draft, DraftObject } from './draft.ts';
import { titleOfField } from './field-parts.tsx';
import { useForm } from './form-context.ts';
import { inWords } from './value-words.ts';

interface ConflictViewProps {
  readonly conflicts: readonly Conflict[];
  readonly draft: DraftObject;
  readonly onTake: (name: string, value: Draft | undefined) => void;
}

export function ConflictView({ conflicts, draft, onTake }: ConflictViewProps) {
  if (conflicts.length === 0)
    return (
      <p className="warning" role="alert">
        Not saved: someone changed other fields of this object in the meantime. Save again.
      </p>
    );
  return (
    <section className="conflicts" aria-label="Changed in the meantime">
      <p className="warning" role="alert">
        Not saved: these fields were changed in the meantime. Choose a value for each, then save.
      </p>
      {conflicts.map((conflict) => (
        <OneConflict
          key={conflict.field.name}
          conflict={conflict}
          value={draft[conflict.field.name]}
          onTake={(value) => onTake(conflict.field.name, value)}
        />
      ))}
    </section>
  );
}

function isSame(one: Draft | undefined, other: Draft | undefined): boolean {
  return canonicalJson(one ?? null) === canonicalJson(other ?? null);
}

interface OneConflictProps {
  readonly conflict: Conflict;
  /** In the form. */
  readonly value: Draft | undefined;
  readonly onTake: (value: Draft | undefined) => void;
}

function OneConflict({ conflict: { field, was, theirs, mine }, value, onTake }: OneConflictProps) {
  const { names, prefix } = useForm();
  const isTheirs = isSame(value, theirs);
  const isUntouched = isSame(mine, was);
  const wanted = isTheirs ? mine : value;
  const title = titleOfField(field);
  const name = `${prefix}-conflict-${field.name}`;
  const facts = {
    Before: inWords(field, was, names),
    Now: inWords(field, theirs, names),
    'You want': isSame(wanted, was) ? 'no change' : inWords(field, wanted, names),
  };
  return (
    <fieldset className="conflict" aria-label={`${title}, changed in the meantime`}>
      <legend>{title}</legend>
      <dl>
        {Object.entries(facts).map(([word, each]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{each}</dd>
          </div>
        ))}
      </dl>
      <label className="choice">
        <input type="radio" name={name} checked={!isTheirs} onChange={() => onTake(mine)} />
        {isUntouched ? 'Restore the earlier value' : 'Keep mine'}
      </label>
      <label className="choice">
        <input type="radio" name={name} checked={isTheirs} onChange={() => onTake(theirs)} />
        Take theirs
      </label>
    </fieldset>
  );
}
