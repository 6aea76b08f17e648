// The options, and how the ring of each shares its partitions among the clusters. Rings are administrators' alone.

import { useEntities, useLiveState } from '../../context.ts';
import { EditLink } from '../../forms/create-link.tsx';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { clusterKind } from './kinds/cluster.ts';
import { CreateOption, OptionActions } from './option-actions.tsx';
import type { Options } from './picture/rings-path.ts';

export function OptionsPanel({ options }: { readonly options: Options | null }) {
  const isAdmin = useLiveState().viewer?.admin === true;
  const names = new Map([...useEntities(clusterKind).values()].map(({ number, name }) => [number, name]));
  return (
    <Panel name="options" title="Storage classes" summary={options?.length} tools={isAdmin && <CreateOption />}>
      <ScrollRegion list="options" label="Storage classes">
        {options === null && <Skeleton />}
        {options?.length === 0 && (
          <p className="hint">
            None yet. An administrator creates one here or with <code>tidegate options create NAME</code>.
          </p>
        )}
        <ul className="options">
          {options?.map((option) => (
            <li key={option.id} data-option={option.name}>
              <OptionItem option={option} names={names} />
              {isAdmin && <OptionActions option={option} />}
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

interface OptionItemProps {
  readonly option: Options[number];
  readonly names: ReadonlyMap<number, string>;
}

function OptionItem({ option, names }: OptionItemProps) {
  const { id, name, replicas, ending, endingReason, ring } = option;
  return (
    <>
      <span className="line">
        <span className="name">{name}</span>
        <span className="dim">
          {replicas} replicas{option.default && ' · default'}
          {ring !== null && ` · ring of epoch ${ring.epoch}`}
        </span>
        <EditLink kind="ObjectOption" id={id} about={`storage class ${name}`} />
      </span>
      {(ending || endingReason !== null) && (
        <span className="line">
          {ending ? 'It is being deleted' : 'It was not deleted'}
          {endingReason !== null && `: ${endingReason}`}
        </span>
      )}
      {ring !== null && (
        <span className="line dim">
          {ring.clusters
            .map(({ number, partitions }) => `${names.get(number) ?? number}: ${partitions} partitions`)
            .join(' · ')}
        </span>
      )}
    </>
  );
}
