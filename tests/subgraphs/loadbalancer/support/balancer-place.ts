// A database with a project and the load balancer services, without hosts. Tests write nodes as rows.
import { ownersOf } from '../../../../compose/owners.ts';
import type { LoadBalancerCreateInput } from '../../../../generated/graph/loadbalancer.ts';
import type { Identity, RequestContext, Role } from '../../../../platform/caller/identity.ts';
import { migrate } from '../../../../platform/database/migrate.ts';
import { recordProject } from '../../../../platform/edge/projects.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { BalancerService } from '../../../../subgraphs/loadbalancer/control/balancers/balancer-service.ts';
import { dnsNames } from '../../../../subgraphs/loadbalancer/control/balancers/dns-names.ts';
import { PartService } from '../../../../subgraphs/loadbalancer/control/balancers/part-service.ts';
import { CertificateService } from '../../../../subgraphs/loadbalancer/control/certificates/certificate-service.ts';
import { Quotas } from '../../../../subgraphs/loadbalancer/control/stores/quotas.ts';
import { SubnetService } from '../../../../subgraphs/loadbalancer/control/subnets/subnet-service.ts';
import { loadBalancerRow } from '../../../../subgraphs/loadbalancer/row.ts';
import type { NodeState } from '../../../../subgraphs/loadbalancer/rules/states.ts';
import { MemberAddresses } from '../../../../subgraphs/loadbalancer/spec/member-addresses.ts';
import { LocalContext } from '../../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';

const most = 10_000;

export class BalancerPlace {
  readonly projectId = newUuid();
  readonly database: TestDatabase;
  readonly ground: LocalContext;
  readonly balancers: BalancerService;
  readonly parts: PartService;
  readonly certificates: CertificateService;

  private constructor(database: TestDatabase, ground: LocalContext) {
    this.database = database;
    this.ground = ground;
    const { db, wake, mutations, egress, sealer } = ground;
    const quotas = new Quotas({
      ...{ LOAD_BALANCERS: most, LISTENERS: most, POOLS: most, MEMBERS: most, L7_POLICIES: most, NODES: most },
      ...{ CERTIFICATES: most, SUBNETS: most },
    });
    const common = { db, wake, mutations, quotas };
    const memberAddresses = new MemberAddresses(egress);
    this.parts = new PartService({ ...common, memberAddresses });
    this.certificates = new CertificateService({ ...common, sealer });
    const subnets = new SubnetService({ ...common, defaultCidr: '10.0.0.0/24' });
    const names = dnsNames({ wake, ttlSeconds: 5, nameRestMs: 86_400_000 });
    this.balancers = new BalancerService({ ...common, subnets, memberAddresses, zone: 'lb.test', names });
  }

  static async open(): Promise<BalancerPlace> {
    const database = await testDatabase({ migrated: false });
    await migrate(database.connection, ownersOf(['loadbalancer'], [loadBalancerRow]));
    const place = new BalancerPlace(database, new LocalContext({ connection: database.connection }));
    await place.ground.db.transaction((tx) => recordProject(tx, place.projectId, 'default'));
    return place;
  }

  async close(): Promise<void> {
    await this.ground.stop();
    await this.database.drop();
  }

  /** Context of an administrator, or of someone with a role in the project. */
  context(role: Role | 'ADMIN' | 'NONE' = 'ADMIN'): RequestContext {
    const projects = role === 'ADMIN' || role === 'NONE' ? {} : { [this.projectId]: role };
    const identity: Identity = {
      ...{ kind: 'user', id: newUuid(), name: 'someone', admin: role === 'ADMIN', projects, credentialId: newUuid() },
    };
    return { identity, requestId: 'test', loaders: new Map() };
  }

  /** Creates a load balancer, and returns its UUID. */
  async balancer(name: string, input: Partial<LoadBalancerCreateInput> = {}): Promise<string> {
    const whole = { name, projectId: encodeId('Project', this.projectId), ...input } as LoadBalancerCreateInput;
    const { entity, userErrors } = await this.balancers.create(this.context(), whole);
    if (entity === null) throw new Error(JSON.stringify(userErrors));
    return entity.id;
  }

  /** Adds a node that began to serve long ago, and returns its UUID. */
  async node(balancerId: string, name: string, state: NodeState = 'SERVING'): Promise<string> {
    const id = newUuid();
    await this.ground.db.execute(
      `INSERT INTO lb_node (id, project_id, load_balancer_id, name, state, connections, threads, configured_at, created_at)
      VALUES (?, ?, ?, ?, ?, 1000, 1, NOW(3) - INTERVAL 1 HOUR, NOW(3) - INTERVAL 1 HOUR)`,
      [id, this.projectId, balancerId, name, state],
    );
    return id;
  }
}
