// One host, for administrators: its nodes, and whether it gets new ones.
import { LoadbalancerHostDetailDocument } from '../../../../generated/dashboard/graphql.ts';
import { useEntities, useLiveState } from '../../context.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { Age } from '../../view/time.tsx';
import { useOpened } from '../../view/use-opened.ts';
import { type Host, hostKind } from './kinds/host.ts';
import { type BalancerNode, nodeKind } from './kinds/node.ts';
import { HostBadge, LifeBadge } from './marks.tsx';
import { useHostCordon } from './use-actions.ts';

interface HostDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onOpenNode: (id: string) => void;
}

export function HostDrawer({ id, onClose, onOpenNode }: HostDrawerProps) {
  const { entity: host, detail, instead } = useOpened(hostKind, LoadbalancerHostDetailDocument, id);
  const known = useEntities(nodeKind);
  if (host === undefined) {
    return (
      <Drawer id={id} title="Host" onClose={onClose}>
        <p className="dim">{instead}</p>
      </Drawer>
    );
  }
  const nodes = nodesOn(id, [...known.values()], detail?.nodes.nodes ?? []);
  return (
    <Drawer
      id={id}
      title={
        <>
          {host.name} <HostBadge host={host} />
        </>
      }
      onClose={onClose}
    >
      {host.status === 'OFFLINE' && (
        <p className="warning">Its connection is lost. Its nodes may serve all the same.</p>
      )}
      <HostActions key={id} host={host} />
      <Facts
        facts={[
          { name: 'Site', value: host.site },
          {
            name: 'Offers',
            value: host.provider === 'NETNS' ? 'a network namespace for each node' : 'processes on its own addresses',
          },
          { name: 'Addresses', value: <code>{host.publicRange}</code> },
          { name: 'Nodes', value: `${host.nodeCount} of at most ${host.hostMaxNodes}` },
          {
            name: 'Heard of',
            value: (
              <>
                <Age at={host.seenAt} /> ago
              </>
            ),
          },
          { name: 'Id', value: <code>{host.id}</code> },
        ]}
      />
      <section>
        <h3>Its nodes</h3>
        {nodes.length === 0 && <p className="dim">None.</p>}
        <ul className="host-nodes">
          {nodes.map((node) => (
            <li key={node.id}>
              <button type="button" className="link" onClick={() => onOpenNode(node.id)}>
                {node.name}
              </button>{' '}
              <LifeBadge state={node.state} />
            </li>
          ))}
        </ul>
        {host.nodeCount > nodes.length && <p className="dim">and {host.nodeCount - nodes.length} more</p>}
      </section>
    </Drawer>
  );
}

/** Of the page's own nodes, which the feed changes, and those that were read with the host. */
function nodesOn(
  hostId: string,
  known: readonly BalancerNode[],
  read: readonly BalancerNode[],
): readonly BalancerNode[] {
  const knownIds = new Set(known.map(({ id }) => id));
  const all = [
    ...known.filter(({ nodeHost }) => nodeHost?.id === hostId),
    ...read.filter(({ id }) => !knownIds.has(id)),
  ];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function HostActions({ host }: { readonly host: Host }) {
  const { viewer } = useLiveState();
  const { control, cordon } = useHostCordon(host.id);
  const evacuation = useHostCordon(host.id);
  const isRemoving = host.removing ? 'It is being removed.' : null;
  const forbidden = viewer?.admin === true ? isRemoving : 'Only administrators can do this.';
  return (
    <div className="actions">
      {host.cordoned ? (
        <ConfirmedAction
          label="Release"
          question={`Release ${host.name}?`}
          forbidden={forbidden}
          control={control}
          onConfirm={() => cordon({ cordoned: false })}
        >
          It gets new nodes again. No node is moved back.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="Cordon"
          question={`Cordon ${host.name}?`}
          forbidden={forbidden}
          control={control}
          onConfirm={() => cordon({ cordoned: true })}
        >
          It gets no new nodes. Those that it has serve on.
        </ConfirmedAction>
      )}
      <ConfirmedAction
        label="Evacuate"
        question={`Evacuate ${host.name}?`}
        forbidden={forbidden}
        control={evacuation.control}
        onConfirm={() => evacuation.cordon({ cordoned: true, evacuate: true })}
      >
        It gets no new nodes, and its {host.nodeCount} {host.nodeCount === 1 ? 'node is' : 'nodes are'} replaced by
        nodes on other hosts, one after the other.
      </ConfirmedAction>
      {forbidden !== null && <span className="dim">{forbidden}</span>}
    </div>
  );
}
