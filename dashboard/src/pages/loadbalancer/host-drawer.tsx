// One host, for administrators: its nodes, and whether it gets new ones.
import { LoadbalancerHostDetailDocument } from '../../../../generated/dashboard/graphql.ts';
import { useEntities, useLiveState } from '../../context.ts';
import { EditLink } from '../../forms/create-link.tsx';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Facts } from '../../view/drawer.tsx';
import { OpenedDrawer } from '../../view/opened-drawer.tsx';
import { Ago, Moment } from '../../view/time.tsx';
import { useOpened } from '../../view/use-opened.ts';
import { type Host, hostKind } from './kinds/host.ts';
import { type BalancerNode, nodeKind } from './kinds/node.ts';
import { HostBadge, LifeBadge } from './marks.tsx';
import { useHostCordon, useHostRelease } from './use-actions.ts';

interface HostDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onOpenNode: (id: string) => void;
}

export function HostDrawer({ id, onClose, onOpenNode }: HostDrawerProps) {
  const opened = useOpened(hostKind, LoadbalancerHostDetailDocument, id);
  const { detail } = opened;
  const known = useEntities(nodeKind);
  return (
    <OpenedDrawer
      {...{ id, opened, onClose }}
      what="Host"
      title={(host) => (
        <>
          {host.name} <HostBadge host={host} />
        </>
      )}
    >
      {(host) => {
        const nodes = nodesOn(id, [...known.values()], detail?.placedNodes.nodes ?? []);
        return (
          <>
            <EditLink kind="LoadBalancerHost" id={id} />
            {host.presence === 'ABSENT' && (
              <p className="warning">The host is not connected. Its nodes may still serve.</p>
            )}
            {host.presence === 'PRESENT' && !host.removing && host.noNodesReason && (
              <p className="warning">It receives no new nodes: {host.noNodesReason}.</p>
            )}
            <HostActions key={id} host={host} />
            <Facts
              facts={[
                { name: 'Site', value: host.site },
                {
                  name: 'Offers',
                  value:
                    host.provider === 'NETNS' ? 'one network namespace per node' : "processes on the host's addresses",
                },
                { name: 'Addresses', value: <code>{host.publicRange ?? 'none'}</code> },
                { name: 'Nodes', value: `${host.nodeCount} of at most ${host.hostMaxNodes}` },
                {
                  name: 'Last seen',
                  value: (
                    <>
                      <Ago at={host.heardAt} />, at <Moment at={host.heardAt} />
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
                    <LifeBadge state={node.nodeState} />
                  </li>
                ))}
              </ul>
              {host.nodeCount > nodes.length && <p className="dim">and {host.nodeCount - nodes.length} more</p>}
            </section>
          </>
        );
      }}
    </OpenedDrawer>
  );
}

/** Nodes of the host: from the page's own list, which the feed changes, and from the read of the host. */
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
  const releasing = useHostRelease(host.id);
  const isRemoving = host.removing ? 'It is being removed.' : null;
  const forbidden = viewer?.admin === true ? isRemoving : 'Only administrators can do this.';
  return (
    <div className="actions">
      {host.cordoned ? (
        <ConfirmedAction
          label="Release"
          question={`Release ${host.name}?`}
          forbidden={forbidden}
          control={releasing.control}
          onConfirm={releasing.release}
        >
          The host can receive new nodes again. Existing nodes stay where they are.
        </ConfirmedAction>
      ) : (
        <ConfirmedAction
          label="Cordon"
          question={`Cordon ${host.name}?`}
          forbidden={forbidden}
          control={control}
          onConfirm={() => cordon(false)}
        >
          The host receives no new nodes. Its existing nodes keep serving.
        </ConfirmedAction>
      )}
      <ConfirmedAction
        label="Evacuate"
        question={`Evacuate ${host.name}?`}
        forbidden={forbidden}
        control={evacuation.control}
        onConfirm={() => evacuation.cordon(true)}
      >
        The host receives no new nodes, and its {host.nodeCount} {host.nodeCount === 1 ? 'node is' : 'nodes are'}{' '}
        replaced by nodes on other hosts, one at a time.
      </ConfirmedAction>
      {forbidden !== null && <span className="dim">{forbidden}</span>}
    </div>
  );
}
