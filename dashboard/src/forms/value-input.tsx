// The element in which one value is entered, by the field's type.
import type { InputHTMLAttributes, ReactNode } from 'react';
import { registry } from '../../../generated/kinds/registry.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { phraseOf } from '../../../schema/kinds/words.ts';
import { describe, valueWords } from '../view/graph-words.ts';
import { type Draft, isDraftObject, isNumber } from './draft.ts';
import type { ValueInputProps } from './field-props.ts';
import { useForm } from './form-context.ts';
import { ListCell } from './list-cell.tsx';
import { kindNamed } from './names.ts';
import { ReferencePicker } from './reference-picker.tsx';

const longestText = 60_000;

/** Several values share one element. An empty one leaves the field out. */
export function FieldInput({ draft, onDraft, ...common }: FieldInputProps) {
  if (common.field.list === true) return <ListCell {...common} value={draft} onChange={onDraft} />;
  const value = typeof draft === 'string' ? draft : '';
  return <ValueInput {...common} value={value} onChange={(text) => onDraft(text === '' ? undefined : text)} />;
}

interface FieldInputProps extends Omit<ValueInputProps, 'value' | 'onChange'> {
  readonly draft: Draft | undefined;
  readonly onDraft: (next: Draft | undefined) => void;
}

export function ValueInput(props: ValueInputProps) {
  const { field, value, onChange } = props;
  const kind = field.refersTo === undefined ? undefined : kindNamed(field.refersTo);
  const common = {
    ...{ id: props.id, 'aria-label': props.label, 'aria-describedby': props.describedBy, value },
    'aria-invalid': props.isInvalid,
  };
  if (kind !== undefined) return <ReferencePicker {...props} kind={kind} />;
  if (isPoolName(field)) return <PoolNameInput {...props} />;
  if (registry.enums[field.type] !== undefined) return <WordInput {...props} />;
  if (field.type === 'Boolean') return <FlagInput {...props} />;
  if (field.file === true || isKey(field) || field.type === 'JSON') return <LongInput {...props} />;
  const ofType: InputHTMLAttributes<HTMLInputElement> =
    field.secret === true
      ? { type: 'password', autoComplete: 'new-password' }
      : { type: 'text', inputMode: isNumber(field) ? 'decimal' : 'text', autoComplete: 'off', spellCheck: false };
  return (
    <input
      {...common}
      {...ofType}
      maxLength={longestText}
      placeholder={usualText(field)?.replace(props.isShort === true ? 'default: ' : '', '')}
      onChange={({ target }) => onChange(target.value)}
    />
  );
}

/** Whether the field of a listener or an L7 policy names a pool of the same form. */
function isPoolName({ name, type }: InputField): boolean {
  return type === 'String' && (name === 'defaultPool' || name === 'redirectPool');
}

/** A list of options, the first of which is usually the empty value. */
function Choice({ id, label, describedBy, isInvalid, value, onChange, children }: ChoiceProps) {
  return (
    <select
      id={id}
      aria-label={label}
      aria-describedby={describedBy}
      aria-invalid={isInvalid}
      value={value}
      onChange={({ target }) => onChange(target.value)}
    >
      {children}
    </select>
  );
}

interface ChoiceProps extends ValueInputProps {
  readonly children: ReactNode;
}

function PoolNameInput(props: ValueInputProps) {
  const { value } = props;
  const { pools } = useForm().draft;
  const given = Array.isArray(pools) ? (pools as readonly Draft[]) : [];
  const names = given.map((pool) => (isDraftObject(pool) ? pool.name : undefined));
  const known = names.filter((name): name is string => typeof name === 'string' && name !== '');
  return (
    <Choice {...props}>
      <option value="">none</option>
      {[...new Set(value === '' ? known : [...known, value])].map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </Choice>
  );
}

/** A private key is a secret of several lines: a field for passwords would lose them. */
function isKey({ name, secret }: InputField): boolean {
  return secret === true && /privateKey|clientCertificate/.test(name);
}

function usualText({ default: usual, bounds }: InputField): string | undefined {
  if (usual !== undefined && usual !== null && usual !== '' && typeof usual !== 'object') return `default: ${usual}`;
  return bounds === undefined ? undefined : `${bounds.least} to ${bounds.most}`;
}

function WordInput(props: ValueInputProps) {
  const { field, id, value } = props;
  const words = registry.enums[field.type] ?? {};
  const usual = typeof field.default === 'string' ? `default: ${valueWords(field.default)}` : 'not set';
  const shown = value === '' && typeof field.default === 'string' ? field.default : value;
  return (
    <>
      <Choice {...props} describedBy={`${props.describedBy} ${id}-word`}>
        <option value="">{field.required === true ? 'Choose…' : usual}</option>
        {Object.keys(words).map((word) => (
          <option key={word} value={word}>
            {valueWords(word)}
          </option>
        ))}
      </Choice>
      <p id={`${id}-word`} className="help meaning">
        {words[shown] !== undefined && words[shown] !== '' && `${valueWords(shown)}: ${describe(words[shown])}`}
      </p>
    </>
  );
}

function FlagInput(props: ValueInputProps) {
  const { field, id, label, describedBy, value, onChange } = props;
  const { isChange } = useForm();
  if (typeof field.default !== 'boolean' && !(isChange && value !== ''))
    return (
      <Choice {...props}>
        <option value="">not set</option>
        <option value="true">yes</option>
        <option value="false">no</option>
      </Choice>
    );
  const isOn = value === '' ? field.default === true : value === 'true';
  return (
    <input
      id={id}
      type="checkbox"
      aria-label={label}
      aria-describedby={describedBy}
      checked={isOn}
      onChange={({ target }) => onChange(target.checked === field.default ? '' : String(target.checked))}
    />
  );
}

/** PEM and JSON: pasted, or read from a file. */
function LongInput({ field, id, label, describedBy, isInvalid, value, onChange }: ValueInputProps) {
  return (
    <>
      <textarea
        id={id}
        aria-label={label}
        aria-describedby={describedBy}
        aria-invalid={isInvalid}
        className={field.secret === true ? 'mono hidden-text' : 'mono'}
        rows={4}
        maxLength={longestText}
        spellCheck={false}
        autoComplete="off"
        value={value}
        onChange={({ target }) => onChange(target.value)}
      />
      {field.type !== 'JSON' && (
        <input
          type="file"
          aria-label={`File of ${phraseOf(field.name)}`}
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            if (file !== undefined && file.size <= longestText) void file.text().then(onChange);
          }}
        />
      )}
    </>
  );
}
