// The fields of an input, made from the registry: first what is needed or names the object, the others below a heading that opens.
import { type ReactNode, useState } from 'react';
import { registry } from '../../../generated/kinds/registry.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import { chosen, type Draft, draftAt, formFields, isDraftObject } from './draft.ts';
import { Field } from './field.tsx';
import type { FieldsProps } from './field-props.ts';
import { useForm } from './form-context.ts';

const fewFields = 6;

export function Fields(props: FieldsProps) {
  const { input, path, draft, first } = props;
  const { isChange, needed } = useForm();
  const { oneOf } = registry.inputs[input] ?? {};
  if (oneOf === true) return <Variants {...props} />;
  const fields = path.length === 0 ? formFields(input, needed) : (registry.inputs[input]?.fields ?? []);
  const isMain = (field: InputField): boolean =>
    (isChange && path.length === 0) ||
    fields.length <= fewFields ||
    field.required === true ||
    field.tree === true ||
    isUsualFirst(field.name) ||
    first?.has(field.name) === true;
  const [main, more] = [fields.filter(isMain), fields.filter((field) => !isMain(field))];
  return (
    <>
      {main.map((field) => (
        <OneField key={field.name} {...props} field={field} value={draftIn(draft, field)} />
      ))}
      {more.length > 0 && <More {...props} fields={more} />}
    </>
  );
}

function isUsualFirst(name: string): boolean {
  return name === 'name' || name === 'projectId';
}

function draftIn(draft: Draft | undefined, { name }: InputField): Draft | undefined {
  return isDraftObject(draft) ? draft[name] : undefined;
}

interface OneFieldProps extends FieldsProps {
  readonly field: InputField;
  readonly value: Draft | undefined;
}

function OneField({ field, path, value, onChange }: OneFieldProps) {
  return <Field field={field} path={[...path, field.name]} value={value} onChange={onChange} />;
}

/** It opens by itself if something in it is at fault. */
function More({ fields, ...props }: FieldsProps & { readonly fields: readonly InputField[] }) {
  const { faults } = useForm();
  const [isOpen, setOpen] = useState(false);
  const { path, draft } = props;
  const isAtFault = fields.some(({ name }) =>
    faults.some(({ path: at }) => [...path, name].every((part, index) => at[index] === part)),
  );
  const given = fields.filter((field) => draftIn(draft, field) !== undefined).length;
  return (
    <details className="more" open={isOpen || isAtFault} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {fields.length} more {fields.length === 1 ? 'field' : 'fields'}
        {given > 0 && `, ${given} given`}
      </summary>
      {fields.map((field) => (
        <OneField key={field.name} {...props} field={field} value={draftIn(draft, field)} />
      ))}
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
