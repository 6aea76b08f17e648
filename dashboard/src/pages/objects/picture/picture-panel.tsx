// Partitions by cluster, for administrators.
import { useMemo } from 'react';
import { useEntities, useLiveState } from '../../../context.ts';
import { useClock } from '../../../view/clock.ts';
import { Panel } from '../../../view/panel.tsx';
import { PathPicture } from '../../../view/path/path-picture.tsx';
import { ScrollRegion } from '../../../view/scroll-region.tsx';
import type { ObjectControl } from '../filters.ts';
import { type Cluster, clusterKind } from '../kinds/cluster.ts';
import { PresenceBadge } from '../marks.tsx';
import { isLive } from '../rings-panel.tsx';
import type { Rings } from '../use-rings.ts';
import { type Options, type RingMove, ringsPath } from './rings-path.ts';

const minuteMs = 60_000;

interface PicturePanelProps {
  readonly options: Options | null;
  readonly rings: Rings | null;
  readonly control: ObjectControl;
}

export function PicturePanel({ options, rings, control }: PicturePanelProps) {
  const isAdmin = useLiveState().viewer?.admin === true;
  const clusters = useEntities(clusterKind);
  const minute = useClock((nowMs) => Math.floor(nowMs / minuteMs));
  const path = useMemo(() => {
    const sorted = [...clusters.values()].toSorted((one, other) => one.number - other.number);
    return ringsPath(options ?? [], sorted, movesOf(rings), minute * minuteMs);
  }, [options, clusters, rings, minute]);
  if (!isAdmin || path.steps.length === 0) return null;
  return (
    <Panel name="picture" title="Partitions by cluster">
      <ScrollRegion label="Partitions by cluster">
        <PathPicture
          label="Storage classes and clusters"
          path={path}
          badge={(presence) => <PresenceBadge presence={presence as Cluster['presence']} />}
          onOpen={(open) => control.change({ open })}
        />
      </ScrollRegion>
    </Panel>
  );
}

function movesOf(rings: Rings | null): readonly RingMove[] {
  const names = new Map(rings?.objectOptions.nodes.map(({ number, name }) => [number, name]));
  return (rings?.objectRingChanges.nodes ?? []).filter(isLive).map(({ number, state, stepCount, stepsDone }) => ({
    ...{ name: names.get(number) ?? '', isPaused: state === 'PAUSED' },
    percent: stepCount === 0 ? null : (100 * stepsDone) / stepCount,
  }));
}
