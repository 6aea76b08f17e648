// Actions of administrators on options: create one, by default or with chosen clusters, make it the default, delete it. A form changes its fields.
import { type ReactNode, useState } from 'react';
import type { ObjectsOptionsQuery } from '../../../../generated/dashboard/graphql.ts';
import { useEntities } from '../../context.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { clusterKind } from './kinds/cluster.ts';
import {
  type OptionWish,
  useForbidden,
  useOptionCreate,
  useOptionDefault,
  useOptionDelete,
  useOptionKeep,
} from './use-actions.ts';

type Option = ObjectsOptionsQuery['objectOptions']['nodes'][number];
type Preset = NonNullable<OptionWish['preset']>;

const presets: readonly { readonly preset: Preset; readonly says: string }[] = [
  { preset: 'OPTIMIZE_BIG', says: 'the fastest with large files' },
  { preset: 'OPTIMIZE_SMALL', says: 'the fastest with small files' },
  { preset: 'ECONOMY_BIG', says: 'the largest disks, then large files' },
  { preset: 'ECONOMY_SMALL', says: 'the largest disks, then small files' },
];

export function CreateOption() {
  const forbidden = useForbidden();
  const { control, create } = useOptionCreate();
  const [name, setName] = useState('');
  const [preset, setPreset] = useState<Preset | ''>('');
  const [isDefault, setDefault] = useState(false);
  const { fields, given } = useHolders(preset !== '');
  const confirm = async (): Promise<boolean> => {
    const { replicas, clusterIds } = given;
    const chosen = preset === '' ? { clusterIds: [...clusterIds] } : { preset };
    const isDone = await create({ name: name.trim(), replicas, default: isDefault, ...chosen });
    if (isDone) setName('');
    return isDone;
  };
  return (
    <span className="tools">
      <ConfirmedAction
        label="Create a storage class"
        question="Create a storage class?"
        {...{ forbidden, control }}
        onConfirm={confirm}
        fields={
          <>
            <label className="field">
              Name
              <input type="text" value={name} onChange={({ target }) => setName(target.value)} />
            </label>
            <label className="field">
              Clusters
              <select value={preset} onChange={({ target }) => setPreset(target.value as Preset | '')}>
                <option value="">all, or those chosen below</option>
                {presets.map((each) => (
                  <option key={each.preset} value={each.preset}>
                    {each.preset.toLowerCase()}: {each.says}
                  </option>
                ))}
              </select>
            </label>
            {fields}
            <label>
              <input type="checkbox" checked={isDefault} onChange={({ target }) => setDefault(target.checked)} /> use as
              default
            </label>
          </>
        }
      >
        A storage class has its own ring, which says which clusters hold each object.
      </ConfirmedAction>
    </span>
  );
}

export function OptionActions({ option }: { readonly option: Option }) {
  const { id, name, default: isDefault, ending } = option;
  const forbidden = useForbidden();
  const { control, makeDefault } = useOptionDefault(id);
  const keeping = useOptionKeep(id);
  const { control: deleting, remove } = useOptionDelete(id);
  if (ending)
    return (
      <div className="actions">
        <ConfirmedAction
          label="Keep"
          about={`storage class ${name}`}
          question={`Keep ${name}?`}
          forbidden={forbidden}
          control={keeping.control}
          onConfirm={keeping.keep}
        >
          Its deletion is cancelled. Containers can use it again.
        </ConfirmedAction>
      </div>
    );
  return (
    <div className="actions">
      {!isDefault && (
        <ConfirmedAction
          label="Make it the default"
          about={`storage class ${name}`}
          question={`Make ${name} the default?`}
          {...{ forbidden, control }}
          onConfirm={makeDefault}
        >
          New containers use it unless they name another.
        </ConfirmedAction>
      )}
      <ConfirmedAction
        label="Delete"
        about={`storage class ${name}`}
        question={`Delete ${name}?`}
        forbidden={forbidden}
        control={deleting}
        onConfirm={remove}
      >
        This is refused while a container uses it. The deletion ends when no cluster has data of it any more.
      </ConfirmedAction>
    </div>
  );
}

interface Holders {
  readonly replicas: number;
  /** Empty: all. */
  readonly clusterIds: readonly string[];
}

const allOfThree: Holders = { replicas: 3, clusterIds: [] };

function useHolders(arePreset: boolean): { readonly given: Holders; readonly fields: ReactNode } {
  const clusters = [...useEntities(clusterKind).values()].sort((one, other) => one.number - other.number);
  const [changed, setChanged] = useState<Partial<Holders>>({});
  const given = { ...allOfThree, ...changed };
  const { replicas, clusterIds } = given;
  const fields = (
    <>
      <label className="field">
        Replicas
        <input
          type="number"
          min={1}
          max={7}
          value={replicas}
          onChange={({ target }) => setChanged((each) => ({ ...each, replicas: Number(target.value) }))}
        />
      </label>
      <fieldset disabled={arePreset}>
        <legend>Clusters (none chosen: all)</legend>
        {clusters.map(({ id, name }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={clusterIds.includes(id)}
              onChange={({ target }) =>
                setChanged((each) => ({
                  ...each,
                  clusterIds: target.checked ? [...clusterIds, id] : clusterIds.filter((other) => other !== id),
                }))
              }
            />{' '}
            {name}
          </label>
        ))}
      </fieldset>
    </>
  );
  return { given, fields };
}
