// A name server's metrics.
import { Counter, Gauge, type Registry } from 'prom-client';
import type { NameServer } from './name-server.ts';

export function addNameServerMetrics(registry: Registry, server: NameServer): void {
  const gauge = (name: string, help: string, read: (figures: ReturnType<NameServer['figures']>) => number) =>
    new Gauge({
      ...{ name: `tidegate_nameserver_${name}`, help, registers: [registry] },
      collect() {
        this.set(read(server.figures()));
      },
    });
  gauge('connected', '1 while this name server is connected to the control plane', ({ connected }) =>
    Number(connected),
  );
  gauge('zones', 'Zones that are answered', ({ zones }) => Object.keys(zones).length);
  gauge('refused_zones', 'Zones whose last plan was refused', ({ refused }) => Object.keys(refused).length);
  gauge(
    'age_seconds',
    'Maximum age of answers; NaN before the first contact with the control plane',
    ({ heardAgoMs }) => (heardAgoMs === null ? Number.NaN : heardAgoMs / 1_000),
  );
  gauge('connections', 'Open TCP connections of clients', ({ connections }) => connections);
  new Counter({
    name: 'tidegate_nameserver_packets_total',
    help: 'Packets by outcome; `queries` counts all, and `overTcp` the part that came over TCP',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, count] of Object.entries(server.figures().counts)) this.inc({ kind }, count);
    },
  });
}
