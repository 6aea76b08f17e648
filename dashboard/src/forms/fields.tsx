// The fields of an input, made from the registry: the main ones in the order of their layout, the others below "Advanced", by theme.
import { type ReactNode, useState } from 'react';
import { registry } from '../../../generated/kinds/registry.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import { chosen, type Draft, draftAt, formFields, isDraftObject } from './draft.ts';
import { Field } from './field.tsx';
import type { FieldsProps } from './field-props.ts';
import { useForm } from './form-context.ts';
import { arrange, type Theme } from './layout/arrange.ts';

export function Fields(props: FieldsProps) {
  const { input, path, draft, without, isOpen } = props;
  const { isChange, needed } = useForm();
  const { oneOf } = registry.inputs[input] ?? {};
  if (oneOf === true) return <Variants {...props} />;
  const all = path.length === 0 ? formFields(input, needed) : (registry.inputs[input]?.fields ?? []);
  const fields = without === undefined ? all : all.filter(({ name }) => !without.has(name));
  const asked = new Set(path.length === 0 ? Object.keys(needed) : []);
  const { main, advanced } = arrange(input, fields, { draft: isDraftObject(draft) ? draft : {}, asked });
  const isWhole = isOpen === true || (isChange && path.length === 0);
  return (
    <>
      {main.map((row) => (
        <Row key={row[0]?.name} {...props} fields={row} />
      ))}
      {isWhole && advanced.map((theme) => <ThemeFields key={theme.title} {...props} theme={theme} />)}
      {!isWhole && advanced.length > 0 && <Advanced {...props} themes={advanced} />}
    </>
  );
}

function draftIn(draft: Draft | undefined, { name }: InputField): Draft | undefined {
  return isDraftObject(draft) ? draft[name] : undefined;
}

interface OneFieldProps extends FieldsProps {
  readonly field: InputField;
  readonly value: Draft | undefined;
  readonly isBeside?: boolean;
}

function OneField({ field, path, value, onChange, isBeside = false }: OneFieldProps) {
  return <Field {...{ field, value, onChange, isBeside }} path={[...path, field.name]} />;
}

/** Fields side by side, where there is room. */
function Row({ fields, ...props }: FieldsProps & { readonly fields: readonly InputField[] }) {
  const isBeside = fields.length > 1;
  const all = fields.map((field) => (
    <OneField key={field.name} {...props} field={field} value={draftIn(props.draft, field)} isBeside={isBeside} />
  ));
  return !isBeside ? all[0] : <div className="form-beside">{all}</div>;
}

function ThemeFields({ theme, ...props }: FieldsProps & { readonly theme: Theme }) {
  return (
    <fieldset className="form-theme">
      <legend>{theme.title}</legend>
      {theme.fields.map((field) => (
        <OneField key={field.name} {...props} field={field} value={draftIn(props.draft, field)} />
      ))}
    </fieldset>
  );
}

/** It opens by itself if something in it is at fault. */
function Advanced({ themes, ...props }: FieldsProps & { readonly themes: readonly Theme[] }) {
  const { faults } = useForm();
  const [isOpen, setOpen] = useState(false);
  const { path } = props;
  const fields = themes.flatMap((theme) => theme.fields);
  const isAtFault = fields.some(({ name }) =>
    faults.some(({ path: at }) => [...path, name].every((part, index) => at[index] === part)),
  );
  return (
    <details
      className="advanced"
      open={isOpen || isAtFault}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        Advanced
        <span className="dim"> {themes.map(({ title }) => title).join(', ')}</span>
      </summary>
      {(isOpen || isAtFault) && themes.map((theme) => <ThemeFields key={theme.title} {...props} theme={theme} />)}
    </details>
  );
}

/** Exactly one of the fields is given: first it is chosen which. */
function Variants(props: FieldsProps) {
  const { input, path, draft, onChange } = props;
  const { prefix, faults } = useForm();
  const fields = registry.inputs[input]?.fields ?? [];
  const name = draftAt(draft, [chosen]);
  const taken = fields.find((each) => each.name === name);
  const id = `${prefix}-${[...path, 'which'].join('-')}`;
  const own = faults.filter(({ path: at }) => at.join('.') === path.join('.'));
  return (
    <div className="variants">
      <label htmlFor={id}>Type</label>
      <select
        id={id}
        value={taken?.name ?? ''}
        aria-invalid={own.length > 0}
        onChange={({ target: { value } }) =>
          onChange(
            path,
            value === '' ? {} : { [chosen]: value, [value]: draftIn(draft, { name: value } as InputField) },
          )
        }
      >
        <option value="">Choose…</option>
        {fields.map((each) => (
          <option key={each.name} value={each.name}>
            {titleOf(each.name)}
          </option>
        ))}
      </select>
      {taken !== undefined && (
        <OneField {...props} field={{ ...taken, required: true }} value={draftIn(draft, taken)} />
      )}
    </div>
  );
}

export const renderFields = (props: FieldsProps): ReactNode => <Fields {...props} />;
