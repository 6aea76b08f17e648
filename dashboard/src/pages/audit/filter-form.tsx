// The fields of the filters. What is entered is in the address, and the server searches for it.
import { enteredOf, latestEntered, pointOf, useZone, zoneName } from '../../view/zone.ts';
import type { AuditControl, AuditFilters } from './filters.ts';
import { ObjectField } from './object-field.tsx';

const periods = [
  { name: 'Last 24 h', ms: 86_400_000 },
  { name: 'Last 7 d', ms: 7 * 86_400_000 },
];

const texts = [
  { label: 'Who', name: 'who', of: 'who', most: 255, example: 'alice' },
  { label: 'Operation', name: 'operation', of: 'text', most: 64, example: 'backendCreate' },
] as const;
const request = { label: 'Request ID', name: 'request', of: 'requestId', most: 64 } as const;
const points = [
  { label: 'From', name: 'from' },
  { label: 'Before', name: 'before' },
] as const;

interface TextField {
  readonly label: string;
  readonly name: string;
  readonly of: 'who' | 'text' | 'requestId';
  readonly most: number;
  readonly example?: string;
}

interface FilterFormProps {
  readonly control: AuditControl;
  /** Of objects, by their ids. */
  readonly names: ReadonlyMap<string, string>;
}

export function FilterForm({ control, names }: FilterFormProps) {
  const { filters, change, clear, isFiltering } = control;
  const zone = useZone();
  const set = (patch: Partial<AuditFilters>) => change(patch, 'replace');
  const inZone = `(${zoneName(zone, Date.now())})`;
  const textField = ({ label, name, of, most, example }: TextField) => (
    <label key={name}>
      {label}
      <input
        name={name}
        value={filters[of]}
        maxLength={most}
        onChange={({ target }) => set({ [of]: target.value })}
        placeholder={example}
        className={of === 'text' ? 'mono' : undefined}
      />
    </label>
  );
  return (
    <search className="audit-filters">
      <ObjectField
        subjectId={filters.subjectId}
        name={names.get(filters.subjectId)}
        onChange={(subjectId) => set({ subjectId })}
      />
      {texts.map(textField)}
      <label>
        Result
        <select
          name="result"
          value={filters.outcome ?? ''}
          onChange={({ target }) => set({ outcome: (target.value || null) as AuditFilters['outcome'] })}
        >
          <option value="">any</option>
          <option value="ACCEPTED">accepted</option>
          <option value="REFUSED">refused</option>
        </select>
      </label>
      {filters.requestId !== '' && textField(request)}
      {points.map(({ label, name }) => (
        <label key={name}>
          {label} {inZone}
          <input
            name={name}
            type="datetime-local"
            max={latestEntered}
            value={enteredOf(filters[name], zone)}
            onChange={({ target }) => set({ [name]: pointOf(target.value, zone) })}
          />
        </label>
      ))}
      {periods.map(({ name, ms }) => (
        <button
          type="button"
          className="quiet"
          key={name}
          onClick={() => set({ from: new Date(Date.now() - ms).toISOString(), before: null })}
        >
          {name}
        </button>
      ))}
      <label className="choice">
        <input
          type="checkbox"
          name="logins"
          checked={filters.logins}
          onChange={({ target }) => set({ logins: target.checked })}
        />
        Log-ins
      </label>
      {isFiltering && (
        <button type="button" className="quiet" onClick={clear}>
          Clear the filters
        </button>
      )}
    </search>
  );
}
