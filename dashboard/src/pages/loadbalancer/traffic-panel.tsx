// The traffic of one load balancer, or of one of its listeners.
import { useState } from 'react';
import {
  LoadbalancerListenerTrafficDocument,
  LoadbalancerTrafficDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { PeriodButtons, TrafficCharts, usePeriod } from './traffic-charts.tsx';
import type { Tree } from './use-tree.ts';

interface TrafficPanelProps {
  readonly id: string;
  readonly listeners: Tree['listeners'];
}

export function TrafficPanel({ id, listeners }: TrafficPanelProps) {
  const [period, setPeriod] = usePeriod();
  const [chosen, choose] = useState('');
  const listener = listeners.find((each) => each.id === chosen);
  return (
    <Panel
      name="traffic"
      title="Traffic"
      tools={
        <>
          <select aria-label="Traffic of" value={listener?.id ?? ''} onChange={(event) => choose(event.target.value)}>
            <option value="">all listeners</option>
            {listeners.map(({ id: listenerId, port, name }) => (
              <option key={listenerId} value={listenerId}>
                port {port} {name}
              </option>
            ))}
          </select>
          <PeriodButtons period={period} onChange={setPeriod} />
        </>
      }
    >
      <ScrollRegion label="Traffic">
        {listener === undefined ? (
          <TrafficCharts document={LoadbalancerTrafficDocument} id={id} period={period} />
        ) : (
          <TrafficCharts document={LoadbalancerListenerTrafficDocument} id={listener.id} period={period} />
        )}
      </ScrollRegion>
    </Panel>
  );
}
