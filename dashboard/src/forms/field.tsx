// One field of a form: a single value, a list of values, or an object with fields of its own.
import { type ClipboardEvent, useId } from 'react';
import { registry } from '../../../generated/kinds/registry.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { added, type Draft, isDraftObject } from './draft.ts';
import { faultsAt } from './faults.ts';
import { Faults, FieldHead, type FieldProps, helpOf, Needed, titleOfField, wordOf } from './field-parts.tsx';
import { useForm } from './form-context.ts';
import { ItemButtons, moved } from './item-buttons.tsx';
import { columnsOf } from './lines.ts';
import { ListenersField } from './listeners-field.tsx';
import { PartTable } from './part-table.tsx';
import { FieldInput, ValueInput } from './value-input.tsx';

export function Field(props: FieldProps) {
  const { field } = props;
  if (field.type === 'ListenerTreeInput') return <ListenersField {...props} />;
  if (props.isBeside === true && field.list === true && isPlain(field)) return <ValueField {...props} />;
  if (field.list === true)
    return columnsOf(field.type).length > 0 ? <PartTable {...props} /> : <ListField {...props} />;
  if (registry.inputs[field.type] !== undefined) return <ObjectField {...props} />;
  return <ValueField {...props} />;
}

/** A value that is typed. */
function isPlain({ type, refersTo }: InputField): boolean {
  return registry.inputs[type] === undefined && registry.enums[type] === undefined && refersTo === undefined;
}

function ValueField({ field, path, value, onChange }: FieldProps) {
  const { faults, notes, isChange, prefix } = useForm();
  const id = `${prefix}-${path.join('-')}`;
  const own = faultsAt(faults, path, true);
  const note = faultsAt(notes, path, true);
  const common = { field, id, describedBy: `${id}-help ${id}-note ${id}-fault`, isInvalid: own.length > 0 };
  return (
    <div className="form-field">
      <label htmlFor={id}>
        {titleOfField(field)}
        {!isChange && <Needed field={field} />}
      </label>
      <FieldInput {...common} draft={value} onDraft={(next) => onChange(path, next)} />
      <p id={`${id}-help`} className="help">
        {helpOf(field)}
      </p>
      <p id={`${id}-note`} className="note">
        {note.join(' ')}
      </p>
      <Faults id={`${id}-fault`} messages={own} />
    </div>
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
      <FieldHead field={field} />
      {items.map((item, at) => {
        const itemPath = [...path, String(at)];
        const label = `${word} ${at + 1}`;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: an item is known by its place, as in the input.
          <fieldset key={at} className={inner === undefined ? 'form-row' : 'form-part'} aria-label={label}>
            {inner === undefined ? (
              <ItemInput
                {...{ field, label, onChange }}
                path={itemPath}
                value={item}
                onLines={(lines) => onChange(path, items.toSpliced(at, 1, ...lines))}
              />
            ) : (
              renderFields({ input: field.type, path: itemPath, draft: item, onChange })
            )}
            <ItemButtons
              {...{ at, label }}
              count={items.length}
              onMove={(from, to) => onChange(path, moved(items, from, to))}
              onRemove={() => onChange(itemPath, undefined)}
            />
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
  /** Several lines were pasted in its place. */
  readonly onLines: (lines: readonly string[]) => void;
}

function ItemInput({ field, path, value, label, onChange, onLines }: ItemInputProps) {
  const { faults, prefix } = useForm();
  const id = `${prefix}-${path.join('-')}`;
  const own = faultsAt(faults, path, true);
  const onPaste = (event: ClipboardEvent): void => {
    const lines = event.clipboardData
      .getData('text')
      .split(/[\r\n]+/)
      .map((line) => line.trim());
    const given = lines.filter((line) => line !== '');
    if (given.length < 2 || field.refersTo !== undefined) return;
    event.preventDefault();
    onLines(given);
  };
  return (
    <div className="form-item" onPaste={onPaste}>
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
    </div>
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
      <FieldHead field={field} />
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
