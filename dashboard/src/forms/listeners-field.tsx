// The listeners of a new load balancer, each with its pool inside: the input has pools in a list of their own, and listeners name them.
import { type Draft, type DraftObject, isDraftObject } from './draft.ts';
import { faultsAt } from './faults.ts';
import { Faults, type FieldProps, titleOfField } from './field-parts.tsx';
import { useForm } from './form-context.ts';
import { ItemButtons, moved } from './item-buttons.tsx';

const poolInput = 'PoolTreeInput';

function objectsIn(value: Draft | undefined): readonly DraftObject[] {
  return Array.isArray(value) ? (value as readonly Draft[]).map((each) => (isDraftObject(each) ? each : {})) : [];
}

export function ListenersField({ field, path, value, onChange }: FieldProps) {
  const { draft, faults, prefix, renderFields } = useForm();
  const [listeners, pools] = [objectsIn(value), objectsIn(draft.pools)];
  const owners = pools.map(({ name }) => listeners.findIndex(({ defaultPool }) => defaultPool === name));
  const poolParts = (owner: number) =>
    pools.map((pool, at) => {
      // biome-ignore lint/suspicious/noArrayIndexKey: an item is known by its place, as in the input.
      return owners[at] === owner && <PoolPart key={at} {...{ pools, pool, at, onChange }} />;
    });
  return (
    <fieldset className="form-list">
      <legend>{titleOfField(field)}</legend>
      {listeners.map((listener, at) => {
        const itemPath = [...path, String(at)];
        const label = `listener ${at + 1}`;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: an item is known by its place, as in the input.
          <fieldset key={at} className="form-part" aria-label={label}>
            {renderFields({ input: field.type, path: itemPath, draft: listener, onChange })}
            {poolParts(at)}
            <ItemButtons
              {...{ at, label }}
              count={listeners.length}
              onMove={(from, to) => onChange(path, moved(listeners, from, to))}
              onRemove={() => onChange(itemPath, undefined)}
            />
          </fieldset>
        );
      })}
      {poolParts(-1)}
      <Faults id={`${prefix}-${path.join('-')}-fault`} messages={faultsAt(faults, path, false)} />
      <Faults id={`${prefix}-pools-fault`} messages={faultsAt(faults, ['pools'], false)} />
      <div className="part-actions">
        <button type="button" className="add" onClick={() => onChange(path, [...listeners, {}])}>
          Add listener
        </button>
        <button type="button" className="add quiet" onClick={() => onChange(['pools'], [...pools, { members: [{}] }])}>
          Add pool
        </button>
      </div>
    </fieldset>
  );
}

interface PoolPartProps {
  readonly pools: readonly DraftObject[];
  readonly pool: DraftObject;
  readonly at: number;
  readonly onChange: FieldProps['onChange'];
}

function PoolPart({ pools, pool, at, onChange }: PoolPartProps) {
  const { renderFields } = useForm();
  const label = `pool ${at + 1}`;
  const path = ['pools', String(at)];
  return (
    <fieldset className="form-part" aria-label={label}>
      <legend>Pool {typeof pool.name === 'string' ? pool.name : ''}</legend>
      {renderFields({ input: poolInput, path, draft: pool, onChange })}
      <ItemButtons
        {...{ at, label }}
        count={pools.length}
        onMove={(from, to) => onChange(['pools'], moved(pools, from, to))}
        onRemove={() => onChange(path, undefined)}
      />
    </fieldset>
  );
}
