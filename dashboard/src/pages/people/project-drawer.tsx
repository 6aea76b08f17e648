// One project: its members and their roles, its quotas and its API tokens.
import { useCallback } from 'react';
import {
  type GslbQuotaKind,
  type LoadBalancerQuotaKind,
  PeopleGslbQuotasDocument,
  PeopleMembersDocument,
  type PeopleMembersQuery,
  PeopleProjectDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { CreateLink, EditLink } from '../../forms/create-link.tsx';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { PagedList } from '../../view/paged-panel.tsx';
import { isOperator } from '../../view/permissions.ts';
import { Moment, Time } from '../../view/time.tsx';
import { type CountedPage, usePaged } from '../../view/use-paged.ts';
import { useReading } from '../../view/use-reading.ts';
import { isPresent as hasGslb } from '../gslb/presence.ts';
import { userType } from './kinds.ts';
import { Missing } from './missing.tsx';
import { OpenLink } from './open-link.tsx';
import { RoleMenu } from './role-menu.tsx';
import { RoleLegend, RoleName } from './roles.tsx';
import { TokenItem } from './token-item.tsx';
import { everyMs, useNews } from './use-news.ts';
import { useTokens } from './use-tokens.ts';
import { RemoveAction } from './user-drawer.tsx';

const quotaWords: Readonly<Record<LoadBalancerQuotaKind, string>> = {
  ...{ LOAD_BALANCERS: 'Load balancers', LISTENERS: 'Listeners', POOLS: 'Pools', MEMBERS: 'Members' },
  ...{ L7_POLICIES: 'L7 policies', NODES: 'Nodes', CERTIFICATES: 'Certificates', SUBNETS: 'Subnets' },
};
const gslbQuotaWords: Readonly<Record<GslbQuotaKind, string>> = {
  ...{ NAMES: 'Global names', POOLS: 'Global pools', MEMBERS: 'Global members', MONITORS: 'Global monitors' },
};

type Member = NonNullable<PeopleMembersQuery['project']>['members']['nodes'][number];

interface ProjectDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function ProjectDrawer({ id, onClose }: ProjectDrawerProps) {
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const read = useCallback(async () => {
    const [{ project }, gslb] = await Promise.all([
      requester.request(PeopleProjectDocument, { id }),
      hasGslb(requester).then(async (has) => (has ? await requester.request(PeopleGslbQuotasDocument, { id }) : null)),
    ]);
    return project && { ...project, gslbQuotas: gslb?.project?.gslbQuotas ?? [] };
  }, [requester, id]);
  const { value: project, failure } = useReading(read, useNews(), everyMs);
  return (
    <Drawer id={id} title={project?.name ?? 'Project'} onClose={onClose}>
      {project == null ? (
        <Missing isGone={project === null} failure={failure} />
      ) : (
        <>
          <div className="actions">
            <EditLink kind="Project" id={id} projectId={id} />
            <CreateLink kind="Membership" presets={{ projectId: id }} projectId={id}>
              Add a member
            </CreateLink>
          </div>
          <Facts
            facts={[
              { name: 'Description', value: project.description },
              { name: 'Your role', value: project.viewerRole && <RoleName role={project.viewerRole} /> },
              { name: 'Since', value: <Moment at={project.createdAt} /> },
              { name: 'ID', value: <code>{project.id}</code> },
            ]}
          />
          <Members key={`members ${id}`} id={id} name={project.name} />
          <section aria-label="Quotas">
            <h3>Quotas</h3>
            <ul className="quotas">
              {[
                ...(project.loadBalancerQuotas ?? []).map(({ kind, ...rest }) => ({ what: quotaWords[kind], ...rest })),
                ...project.gslbQuotas.map(({ kind, ...rest }) => ({ what: gslbQuotaWords[kind], ...rest })),
              ].map(({ what, limit, used }) => (
                <li key={what} data-full={used >= limit}>
                  <span>{what}</span>
                  <meter max={Math.max(limit, used, 1)} high={limit * 0.8} value={used} aria-label={what} />
                  <span>
                    {used} / {limit}
                  </span>
                </li>
              ))}
            </ul>
          </section>
          {isOperator(viewer, id) && <ProjectTokens key={`tokens ${id}`} id={id} />}
        </>
      )}
    </Drawer>
  );
}

const none: CountedPage<Member> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 0 };

function Members({ id, name }: { readonly id: string; readonly name: string }) {
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const readPage = useCallback(
    async (after: string | null): Promise<CountedPage<Member>> =>
      (await requester.request(PeopleMembersDocument, { id, after })).project?.members ?? none,
    [requester, id],
  );
  const paged = usePaged(readPage, useNews(), everyMs);
  return (
    <section aria-label="Members">
      <h3>Members</h3>
      <PagedList
        paged={paged}
        none="No members. Administrators have all rights without being members."
        keyOf={({ user }) => user.id}
        item={({ role, user, createdAt }) => (
          <span className="line">
            {viewer?.admin === true ? (
              <OpenLink type={userType} id={user.id} name={user.name} />
            ) : (
              <span>{user.name}</span>
            )}
            <RoleMenu user={user} role={role} project={{ id, name }} />
            {!user.enabled && <b data-status="OFFLINE">disabled</b>}
            <span className="dim">
              since <Time at={createdAt} />
            </span>
            {viewer?.admin === true && <RemoveAction user={user} project={{ id, name }} />}
          </span>
        )}
      />
      <RoleLegend />
    </section>
  );
}

function ProjectTokens({ id }: { readonly id: string }) {
  const paged = useTokens({ projectId: id });
  return (
    <section aria-label="API tokens of this project">
      <h3>API tokens</h3>
      <p>
        <CreateLink kind="ApiToken" presets={{ projectId: id }} projectId={id}>
          Add a token
        </CreateLink>
      </p>
      <PagedList paged={paged} none="None." keyOf={(token) => token.id} item={(token) => <TokenItem token={token} />} />
    </section>
  );
}
