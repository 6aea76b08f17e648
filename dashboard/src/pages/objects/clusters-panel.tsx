// All clusters, those in trouble first: how far each is behind the others, its services, its disk and its clock.
import { useEffect, useMemo, useState } from 'react';
import { UptimeOfClusterDocument } from '../../../../generated/dashboard/graphql.ts';
import { useEntities, useLiveState } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { NoMatch } from '../../view/empty.tsx';
import { formatBytes, formatDuration } from '../../view/format.ts';
import { LastSaid } from '../../view/last-said.tsx';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Table } from '../../view/table.tsx';
import { Uptime } from '../../view/uptime/uptime.tsx';
import { AddCluster, ClusterActions, InvitationNote } from './cluster-actions.tsx';
import { matchesCluster, type ObjectControl } from './filters.ts';
import { type Cluster, type Controller, clusterKind, teller, troubles } from './kinds/cluster.ts';
import { ClusterStateBadge, PresenceBadge, ServiceBadge } from './marks.tsx';
import type { Invitation } from './use-actions.ts';

/** A clock that is this far off needs attention. At 15 minutes off the cluster refuses users' requests. */
const oddClockMs = 1_000;

export function ClustersPanel({ control }: { readonly control: ObjectControl }) {
  const { viewer } = useLiveState();
  const clusters = useEntities(clusterKind);
  const { filters } = control;
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const shown = useMemo(
    () =>
      [...clusters.values()]
        .filter((cluster) => matchesCluster(filters, cluster))
        .sort((one, other) => rank(one) - rank(other) || one.number - other.number),
    [clusters, filters],
  );
  const opened = clusters.get(openId(filters, clusterKind) ?? '')?.name;
  useEffect(() => {
    if (opened === undefined) return;
    document.querySelector(`[data-cluster="${CSS.escape(opened)}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [opened]);
  if (viewer?.admin !== true) return null;
  const absent = shown.filter(({ presence }) => presence !== 'PRESENT').length;
  return (
    <Panel
      name="clusters"
      title="Clusters"
      summary={`${shown.length}${absent > 0 ? `, ${absent} not connected` : ''}`}
      tools={<AddCluster onInvited={setInvitation} />}
    >
      {invitation !== null && <InvitationNote invitation={invitation} onTaken={() => setInvitation(null)} />}
      <ScrollRegion list="clusters" label="Clusters">
        {clusters.size === 0 && (
          <p className="hint">
            None yet. Add one here or with <code>tidegate clusters add NAME</code>.
          </p>
        )}
        {clusters.size > 0 && shown.length === 0 && <NoMatch what="cluster" onClear={control.clear} />}
        {shown.length > 0 && (
          <Table columns={['Cluster', 'Uptime', 'Services', 'Other clusters', 'Disk', '']}>
            {shown.map((cluster) => (
              <tr key={cluster.id} data-cluster={cluster.name} data-open={cluster.name === opened}>
                <ClusterCells cluster={cluster} nameOf={(number) => nameOf(clusters, number)} />
              </tr>
            ))}
          </Table>
        )}
      </ScrollRegion>
    </Panel>
  );
}

interface ClusterCellsProps {
  readonly cluster: Cluster;
  readonly nameOf: (number: number) => string;
}

function ClusterCells({ cluster, nameOf }: ClusterCellsProps) {
  const { name, zone, site, weight, number, clusterState, presence } = cluster;
  const told = teller(cluster);
  const isPresent = presence === 'PRESENT';
  return (
    <>
      <td>
        <span className="line">
          <span className="name">{name}</span>
          <PresenceBadge presence={presence} />
          <ClusterStateBadge clusterState={clusterState} />
        </span>
        <span className="line dim">
          zone {zone} · weight {weight} · number {number}
          {site !== null && ` · ${site}`}
        </span>
        {troubles(cluster).map((trouble) => (
          <span key={trouble} className="line message">
            {trouble}
          </span>
        ))}
      </td>
      <td>
        <Uptime document={UptimeOfClusterDocument} id={cluster.id} of={name} />
      </td>
      {told === undefined && <td colSpan={3} />}
      {told !== undefined && isPresent && (
        <>
          <td>
            <Services {...{ name, told }} />
          </td>
          <td>
            <Links {...{ name, told, nameOf }} />
          </td>
          <td>
            <Disk disk={told.disk} />
            <Clock aheadMs={told.clockAheadMs} />
          </td>
        </>
      )}
      {told !== undefined && !isPresent && (
        <td colSpan={3}>
          <LastSaid at={told.heardAt}>
            <Services {...{ name, told }} />
            {told.links.length > 0 && <Links {...{ name, told, nameOf }} />}
            <Disk disk={told.disk} />
          </LastSaid>
        </td>
      )}
      <td>
        <ClusterActions cluster={cluster} services={isPresent ? (told?.services ?? []) : []} />
      </td>
    </>
  );
}

interface ReportProps {
  /** Of the cluster. */
  readonly name: string;
  readonly told: Controller;
}

function Services({ name, told }: ReportProps) {
  return (
    <ul className="services" aria-label={`Services of ${name}`}>
      {told.services.map((service) => (
        <li key={`${service.role} ${service.name}`}>
          <span>
            {service.role} {service.name}
          </span>
          <ServiceBadge {...service} />
          {service.message !== null && <span className="dim">{service.message}</span>}
        </li>
      ))}
    </ul>
  );
}

function Links({ name, told, nameOf }: ReportProps & Pick<ClusterCellsProps, 'nameOf'>) {
  if (told.links.length === 0) return <span className="dim">none</span>;
  return (
    <ul className="links" aria-label={`Links of ${name}`}>
      {told.links.map((link) => (
        <li key={link.number} data-link={link.number} data-connected={link.connected}>
          {nameOf(link.number)}: {link.connected ? behindOf(link) : 'not connected'}
        </li>
      ))}
    </ul>
  );
}

function Disk({ disk }: Pick<Controller, 'disk'>) {
  if (disk === null) return <span>disk unknown</span>;
  const [usedBytes, totalBytes] = [Number(disk.usedBytes), Number(disk.totalBytes)];
  return (
    <span>
      {formatBytes(usedBytes)} of {formatBytes(totalBytes)}{' '}
      <meter min={0} max={totalBytes} high={totalBytes * 0.9} value={usedBytes} aria-label="Disk in use" />
    </span>
  );
}

function Clock({ aheadMs }: { readonly aheadMs: number | null }) {
  if (aheadMs === null || Math.abs(aheadMs) < oddClockMs) return null;
  return (
    <span className="message">
      its clock is {formatDuration(Math.abs(aheadMs))} {aheadMs > 0 ? 'ahead' : 'behind'}
    </span>
  );
}

function behindOf({ behindPartitions, lagMs }: Controller['links'][number]): string {
  if (behindPartitions === null) return 'not known yet';
  if (behindPartitions === 0) return 'has all';
  return `${behindPartitions} partitions behind${lagMs === null ? '' : `, ${formatDuration(lagMs)}`}`;
}

function nameOf(clusters: ReadonlyMap<string, Cluster>, number: number): string {
  return [...clusters.values()].find((each) => each.number === number)?.name ?? `cluster ${number}`;
}

function rank(cluster: Cluster): number {
  return troubles(cluster).length > 0 ? 0 : 1;
}
