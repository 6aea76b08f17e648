// The workers' jobs for autoscaling and traffic: decisions, rollups of minutes and hours, and deletion of old rows.
import type { DatabaseContext, SubgraphWork } from '../../../../platform/process/subgraph-row.ts';
import { createTrafficQueue } from '../traffic/traffic-rollup.ts';
import { TrafficSeconds } from '../traffic/traffic-seconds.ts';
import { NodeLoad } from './node-load.ts';
import { scalingRetention } from './retention.ts';
import { createScalingQueue } from './scaling-queue.ts';

export interface ScalingWorkSettings {
  /** How long decisions with a change are kept. */
  readonly changedMs: number;
}

export function createScalingWork(
  { db, wake, log, redis, redisPrefix }: Pick<DatabaseContext, 'db' | 'wake' | 'log' | 'redis' | 'redisPrefix'>,
  { changedMs }: ScalingWorkSettings,
): Required<Pick<SubgraphWork, 'queues' | 'retention'>> {
  const seconds = new TrafficSeconds({ redis, redisPrefix });
  const load = new NodeLoad({ seconds, redis, redisPrefix });
  return {
    queues: [
      createScalingQueue({ db, wake, log, load: (policy, nodes) => load.of(policy, nodes) }),
      createTrafficQueue({ db, seconds }),
    ],
    retention: scalingRetention(db, { changedMs }),
  };
}
