// The fields of the filters. What is entered is in the address, and the server searches for it.
import { enteredOf, latestEntered, pointOf, useZone, zoneName } from '../../view/zone.ts';
import type { AuditControl, AuditFilters } from './filters.ts';

const periods = [
  { name: 'Last 24 h', ms: 86_400_000 },
  { name: 'Last 7 d', ms: 7 * 86_400_000 },
];

export function FilterForm({ control: { filters, change, clear, isFiltering } }: { readonly control: AuditControl }) {
  const zone = useZone();
  const set = (patch: Partial<AuditFilters>) => change(patch, 'replace');
  const inZone = `(${zoneName(zone, Date.now())})`;
  return (
    <search className="audit-filters">
      <label>
        Who
        <input
          name="who"
          value={filters.who}
          maxLength={255}
          onChange={({ target }) => set({ who: target.value })}
          placeholder="alice"
        />
      </label>
      <label>
        Operation
        <input
          name="operation"
          value={filters.text}
          maxLength={64}
          onChange={({ target }) => set({ text: target.value })}
          placeholder="backendCreate"
        />
      </label>
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
      <label>
        Request id
        <input
          name="request"
          value={filters.requestId}
          maxLength={64}
          onChange={({ target }) => set({ requestId: target.value })}
        />
      </label>
      <label>
        Object's id
        <input
          name="subject"
          value={filters.subjectId}
          maxLength={1024}
          onChange={({ target }) => set({ subjectId: target.value })}
        />
      </label>
      <label>
        From {inZone}
        <input
          name="from"
          type="datetime-local"
          max={latestEntered}
          value={enteredOf(filters.from, zone)}
          onChange={({ target }) => set({ from: pointOf(target.value, zone) })}
        />
      </label>
      <label>
        Before {inZone}
        <input
          name="before"
          type="datetime-local"
          max={latestEntered}
          value={enteredOf(filters.before, zone)}
          onChange={({ target }) => set({ before: pointOf(target.value, zone) })}
        />
      </label>
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
      <label>
        Renewals of logins
        <input
          type="checkbox"
          name="renewals"
          checked={filters.renewals}
          onChange={({ target }) => set({ renewals: target.checked })}
        />
      </label>
      {isFiltering && (
        <button type="button" className="quiet" onClick={clear}>
          Clear the filters
        </button>
      )}
    </search>
  );
}
