// A list of parts as a table: rows are added, pasted, moved and removed; fields that are no column open below their row.
import { type ClipboardEvent, useState } from 'react';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { type Draft, draftAt, isDraftObject } from './draft.ts';
import { faultsAt } from './faults.ts';
import { Faults, type FieldProps, helpOf, Needed, titleOfField, wordOf } from './field-parts.tsx';
import { useForm } from './form-context.ts';
import { ItemButtons } from './item-buttons.tsx';
import { columnsOf, hostAndPort } from './lines.ts';
import { ListCell } from './list-cell.tsx';
import { PasteBox, usePaste } from './paste-box.tsx';
import { ValueInput } from './value-input.tsx';

export function PartTable(props: FieldProps) {
  const { field, path, value, onChange } = props;
  const { faults, prefix } = useForm();
  const [columns, items] = [columnsOf(field.type), Array.isArray(value) ? (value as readonly Draft[]) : []];
  const [word, base] = [wordOf(field), `${prefix}-${path.join('-')}`];
  const paste = usePaste(field, path, onChange);
  return (
    <fieldset className="form-list part-table">
      <legend>
        {titleOfField(field)}
        <Needed field={field} />
      </legend>
      <p className="help">{helpOf(field)}</p>
      {items.length > 0 && (
        <div className={`part-head columns-${columns.length}`} aria-hidden="true">
          {columns.map((column) => (
            <span key={column.name}>{titleOfField(column)}</span>
          ))}
        </div>
      )}
      {items.map((item, at) => (
        <PartRow
          // biome-ignore lint/suspicious/noArrayIndexKey: an item is known by its place, as in the input.
          key={at}
          {...{ field, columns, onChange, items, at }}
          path={[...path, String(at)]}
          listPath={path}
          item={item}
          label={`${word} ${at + 1}`}
          onPasted={paste.take}
        />
      ))}
      <Faults id={`${base}-fault`} messages={faultsAt(faults, path, false)} />
      <PasteBox field={field} path={path} paste={paste} />
      <div className="part-actions">
        <button type="button" className="add" onClick={() => onChange(path, [...items, {}])}>
          Add {word}
        </button>
        {!paste.isOpen && (
          <button type="button" className="add quiet" onClick={paste.open}>
            Paste lines…
          </button>
        )}
      </div>
    </fieldset>
  );
}

interface PartRowProps {
  readonly field: InputField;
  readonly columns: readonly InputField[];
  readonly items: readonly Draft[];
  readonly at: number;
  readonly item: Draft;
  readonly path: readonly string[];
  readonly listPath: readonly string[];
  readonly label: string;
  readonly onChange: FieldProps['onChange'];
  /** Takes several lines. False: it is one value. */
  readonly onPasted: (text: string, row: number) => boolean;
}

function PartRow({ field, columns, items, at, item, path, listPath, label, onChange, onPasted }: PartRowProps) {
  const { faults, renderFields } = useForm();
  const [isOpen, setOpen] = useState(false);
  const names = new Set(columns.map(({ name }) => name));
  const own = faults.filter(
    ({ path: of }) => of.length > path.length && path.every((part, index) => of[index] === part),
  );
  const isAtFault = own.some(({ path: of }) => !names.has(of[path.length] ?? ''));
  const isShown = isOpen || isAtFault;
  const object = isDraftObject(item) ? item : {};
  return (
    <fieldset className="part-row" aria-label={label}>
      <div className={`part-cells columns-${columns.length}`}>
        {columns.map((column, index) => (
          <Cell
            key={column.name}
            field={column}
            path={[...path, column.name]}
            onChange={onChange}
            onPaste={(event) => {
              const text = event.clipboardData.getData('text');
              if (index === 0 && /[\n\r]/.test(text.trim()) && onPasted(text, at)) event.preventDefault();
            }}
            onLeave={(text) => {
              const next = columns[index + 1];
              const [host, port] = next?.type === 'Port' ? (hostAndPort(text) ?? []) : [];
              if (next === undefined || port === undefined || object[next.name] !== undefined) return;
              onChange(path, {
                ...object,
                [column.name]: column.list === true ? [host ?? ''] : host,
                [next.name]: port,
              });
            }}
          />
        ))}
      </div>
      <ItemButtons {...{ items, at, label, onChange }} path={listPath}>
        <button
          type="button"
          className="quiet"
          aria-expanded={isShown}
          aria-label={`More of ${label}`}
          onClick={() => setOpen(!isShown)}
        >
          More
        </button>
      </ItemButtons>
      {isShown && (
        <div className="part-more">
          {renderFields({ input: field.type, path, draft: item, onChange, without: names, isOpen: true })}
        </div>
      )}
    </fieldset>
  );
}

interface CellProps {
  readonly field: InputField;
  readonly path: readonly string[];
  readonly onChange: FieldProps['onChange'];
  readonly onPaste: (event: ClipboardEvent) => void;
  /** With what was entered. */
  readonly onLeave: (text: string) => void;
}

function Cell({ field, path, onChange, onPaste, onLeave }: CellProps) {
  const { draft, faults, prefix } = useForm();
  const id = `${prefix}-${path.join('-')}`;
  const own = faultsAt(faults, path, true);
  const value = draftAt(draft, path);
  const common = {
    field,
    id,
    label: titleOfField(field),
    describedBy: `${id}-fault`,
    isInvalid: own.length > 0,
    isShort: true,
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the events are those of the field inside.
    <div
      className="part-cell"
      onPaste={onPaste}
      onBlur={({ target }) => onLeave(target instanceof HTMLInputElement ? target.value : '')}
    >
      {field.list === true ? (
        <ListCell {...common} value={value} onChange={(items) => onChange(path, items)} />
      ) : (
        <ValueInput
          {...common}
          value={typeof value === 'string' ? value : ''}
          onChange={(text) => onChange(path, text === '' ? undefined : text)}
        />
      )}
      <Faults id={`${id}-fault`} messages={own} />
    </div>
  );
}
