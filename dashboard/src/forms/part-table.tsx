// A list of parts as a table: rows are added, pasted, moved and removed; fields that are no column open below their row. There may be a thousand
// rows, so a row is drawn again only when it changes.
import { type ClipboardEvent, memo, useMemo, useState } from 'react';
import type { InputField } from '../../../schema/kinds/kind.ts';
import { type Draft, type FieldFault, isDraftObject } from './draft.ts';
import { faultsAt } from './faults.ts';
import { Faults, FieldHead, type FieldProps, titleOfField, wordOf } from './field-parts.tsx';
import { useForm } from './form-context.ts';
import { ItemButtons, moved } from './item-buttons.tsx';
import { columnsOf, hostAndPort } from './lines.ts';
import { PasteBox, usePaste } from './paste-box.tsx';
import { useStable } from './use-stable.ts';
import { FieldInput } from './value-input.tsx';

const noFaults: readonly FieldFault[] = [];

export function PartTable(props: FieldProps) {
  const { field, path, value } = props;
  const { faults, prefix } = useForm();
  const columns = useMemo(() => columnsOf(field.type), [field.type]);
  const items = Array.isArray(value) ? (value as readonly Draft[]) : [];
  const [word, base] = [wordOf(field), `${prefix}-${path.join('-')}`];
  const onChange = useStable(props.onChange);
  const paste = usePaste(field, path, onChange);
  const row = {
    ...{ field, columns, prefix, onChange, count: items.length, listPath: path.join('.') },
    onPasted: useStable(paste.take),
    onMove: useStable((from: number, to: number) => onChange(path, moved(items, from, to))),
    onRemove: useStable((at: number) => onChange([...path, String(at)], undefined)),
  };
  const ofRows = faultsByRow(faults, path);
  return (
    <fieldset className="form-list part-table">
      <FieldHead field={field} />
      {items.length > 0 && (
        <div className={`part-head columns-${columns.length}`} aria-hidden="true">
          {columns.map((column) => (
            <span key={column.name}>{titleOfField(column)}</span>
          ))}
        </div>
      )}
      {items.map((item, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an item is known by its place, as in the input.
        <PartRow key={at} {...{ ...row, at, item, label: `${word} ${at + 1}` }} faults={ofRows.get(at) ?? noFaults} />
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

/** Those inside of the list. */
function faultsByRow(
  faults: readonly FieldFault[],
  path: readonly string[],
): ReadonlyMap<number, readonly FieldFault[]> {
  const found = faults.filter(
    ({ path: of }) => of.length > path.length && path.every((part, index) => of[index] === part),
  );
  return Map.groupBy(found, ({ path: of }) => Number(of[path.length]));
}

interface PartRowProps {
  readonly field: InputField;
  readonly columns: readonly InputField[];
  readonly prefix: string;
  readonly at: number;
  readonly count: number;
  readonly item: Draft;
  /** Joined by dots, so that it stays the same. */
  readonly listPath: string;
  readonly label: string;
  /** The faults of this row. */
  readonly faults: readonly FieldFault[];
  readonly onChange: FieldProps['onChange'];
  readonly onPasted: (text: string) => void;
  readonly onMove: (from: number, to: number) => void;
  readonly onRemove: (at: number) => void;
}

const PartRow = memo(function PartRow(props: PartRowProps) {
  const { field, columns, prefix, at, count, item, label, faults, onChange, onPasted, onMove, onRemove } = props;
  const [isOpen, setOpen] = useState(false);
  const path = [...props.listPath.split('.'), String(at)];
  const isAtFault = faults.some(({ path: of }) => !columns.some(({ name }) => name === of[path.length]));
  const isShown = isOpen || isAtFault;
  const object = isDraftObject(item) ? item : {};
  return (
    <fieldset className="part-row" aria-label={label}>
      <div className={`part-cells columns-${columns.length}`}>
        {columns.map((column, index) => (
          <Cell
            key={column.name}
            {...{ prefix, faults, onChange }}
            field={column}
            value={object[column.name]}
            path={[...path, column.name]}
            onPaste={(event) => {
              const text = event.clipboardData.getData('text');
              if (index !== 0 || !/[\n\r]/.test(text.trim())) return;
              event.preventDefault();
              onPasted(text);
            }}
            onLeave={(text) => {
              const next = columns[index + 1];
              const [host, port] = next?.type === 'Port' ? (hostAndPort(text) ?? []) : [];
              if (next === undefined || port === undefined || object[next.name] !== undefined) return;
              const own = column.list === true ? [host ?? ''] : host;
              onChange(path, { ...object, [column.name]: own, [next.name]: port });
            }}
          />
        ))}
      </div>
      <ItemButtons {...{ at, count, label, onMove, onRemove }}>
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
      {isShown && <MoreFields {...{ field, columns, path, item, onChange }} />}
    </fieldset>
  );
});

interface MoreFieldsProps extends Pick<PartRowProps, 'field' | 'columns' | 'item' | 'onChange'> {
  readonly path: readonly string[];
}

function MoreFields({ field, columns, path, item, onChange }: MoreFieldsProps) {
  const { renderFields } = useForm();
  const without = new Set(columns.map(({ name }) => name));
  return (
    <div className="part-more">
      {renderFields({ input: field.type, path, draft: item, onChange, without, isOpen: true })}
    </div>
  );
}

interface CellProps {
  readonly field: InputField;
  readonly path: readonly string[];
  readonly prefix: string;
  readonly value: Draft | undefined;
  readonly faults: readonly FieldFault[];
  readonly onChange: FieldProps['onChange'];
  readonly onPaste: (event: ClipboardEvent) => void;
  /** Called with the entered text. */
  readonly onLeave: (text: string) => void;
}

function Cell({ field, path, prefix, value, faults, onChange, onPaste, onLeave }: CellProps) {
  const id = `${prefix}-${path.join('-')}`;
  const own = faultsAt(faults, path, true);
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
      <FieldInput {...common} draft={value} onDraft={(next) => onChange(path, next)} />
      <Faults id={`${id}-fault`} messages={own} />
    </div>
  );
}
