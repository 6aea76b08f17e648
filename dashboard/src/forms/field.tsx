// One field of a form: a single value, a list of them, or an object with fields of its own.
import { useId } from 'react';
import { registry } from '../../../generated/kinds/registry.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { ownName } from '../../../schema/kinds/option-names.ts';
import { phraseOf, titleOf } from '../../../schema/kinds/words.ts';
import { describe } from '../view/graph-words.ts';
import { added, type Draft, isDraftObject } from './draft.ts';
import { faultsAt } from './faults.ts';
import { useForm } from './form-context.ts';
import { ValueInput } from './value-input.tsx';

interface FieldProps {
  readonly field: InputField;
  readonly path: readonly string[];
  readonly value: Draft | undefined;
  readonly onChange: (path: readonly string[], value: Draft | undefined) => void;
}

export function Field(props: FieldProps) {
  const { field } = props;
  if (field.list === true) return <ListField {...props} />;
  if (registry.inputs[field.type] !== undefined) return <ObjectField {...props} />;
  return <ValueField {...props} />;
}

/** `pool`, `member`: of a list, the word for one of it. */
function wordOf(field: InputField): string {
  return phraseOf(ownName(field));
}

/** The graph writes names of fields as code. */
function helpOf({ description }: InputField): string {
  return describe(description);
}

export function titleOfField(field: InputField): string {
  return titleOf(
    field.refersTo === undefined || field.list === true ? field.name.replace(/Ids$/, 's') : ownName(field),
  );
}

function ValueField({ field, path, value, onChange }: FieldProps) {
  const { faults, isChange, prefix } = useForm();
  const id = `${prefix}-${path.join('-')}`;
  const own = faultsAt(faults, path, true);
  const isNeeded = field.required === true && !isChange;
  return (
    <div className="form-field">
      <label htmlFor={id}>
        {titleOfField(field)}
        {isNeeded && <span className="needed"> required</span>}
      </label>
      <ValueInput
        field={field}
        id={id}
        describedBy={`${id}-help ${id}-fault`}
        isInvalid={own.length > 0}
        value={typeof value === 'string' ? value : ''}
        onChange={(text) => onChange(path, text === '' ? undefined : text)}
      />
      <p id={`${id}-help`} className="help">
        {helpOf(field)}
      </p>
      <Faults id={`${id}-fault`} messages={own} />
    </div>
  );
}

function Faults({ id, messages }: { readonly id: string; readonly messages: readonly string[] }) {
  return (
    <p id={id} className={messages.length > 0 ? 'fault' : undefined}>
      {messages.join(' ')}
    </p>
  );
}

function ListField({ field, path, value, onChange }: FieldProps) {
  const { faults, prefix, renderFields } = useForm();
  const items = Array.isArray(value) ? (value as readonly Draft[]) : [];
  const inner = registry.inputs[field.type];
  const word = wordOf(field);
  const own = faultsAt(faults, path, false);
  const base = `${prefix}-${path.join('-')}`;
  return (
    <fieldset className="form-list">
      <legend>
        {titleOfField(field)}
        {field.required === true && <span className="needed"> required</span>}
      </legend>
      <p className="help">{helpOf(field)}</p>
      {items.map((item, at) => {
        const itemPath = [...path, String(at)];
        const label = `${word} ${at + 1}`;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: an item is known by its place, as in the input.
          <fieldset key={at} className={inner === undefined ? 'form-row' : 'form-part'} aria-label={label}>
            {inner === undefined ? (
              <ItemInput field={field} path={itemPath} value={item} label={label} onChange={onChange} />
            ) : (
              renderFields({ input: field.type, path: itemPath, draft: item, onChange })
            )}
            <button
              type="button"
              className="quiet"
              aria-label={`Remove ${label}`}
              onClick={() => onChange(itemPath, undefined)}
            >
              Remove
            </button>
          </fieldset>
        );
      })}
      <Faults id={`${base}-fault`} messages={own} />
      <button type="button" className="add" onClick={() => onChange(path, [...items, inner === undefined ? '' : {}])}>
        Add {word}
      </button>
    </fieldset>
  );
}

interface ItemInputProps extends FieldProps {
  readonly label: string;
}

function ItemInput({ field, path, value, label, onChange }: ItemInputProps) {
  const { faults, prefix } = useForm();
  const id = `${prefix}-${path.join('-')}`;
  const own = faultsAt(faults, path, true);
  return (
    <>
      <ValueInput
        field={{ ...field, required: true }}
        id={id}
        label={label}
        describedBy={`${id}-fault`}
        isInvalid={own.length > 0}
        value={typeof value === 'string' ? value : ''}
        onChange={(text) => onChange(path, text)}
      />
      <Faults id={`${id}-fault`} messages={own} />
    </>
  );
}

/** An object that need not be given is added first. */
function ObjectField({ field, path, value, onChange }: FieldProps) {
  const { faults, renderFields } = useForm();
  const id = useId();
  const isAdded = isDraftObject(value) && Object.keys(value).length > 0;
  const isShown = field.required === true || isAdded;
  const own = faultsAt(faults, path, !isShown);
  const word = wordOf(field);
  return (
    <fieldset className="form-list">
      <legend>
        {titleOfField(field)}
        {field.required === true && <span className="needed"> required</span>}
      </legend>
      <p className="help">{helpOf(field)}</p>
      {isShown && (
        <div className="form-part">
          {renderFields({ input: field.type, path, draft: value, onChange })}
          {field.required !== true && (
            <button type="button" className="quiet" onClick={() => onChange(path, undefined)}>
              Remove {word}
            </button>
          )}
        </div>
      )}
      {!isShown && (
        <button type="button" className="add" onClick={() => onChange(path, { [added]: 'true' })}>
          Add {word}
        </button>
      )}
      <Faults id={id} messages={own} />
    </fieldset>
  );
}
