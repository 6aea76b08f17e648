// Three object storage clusters with their own clocks, and users who write, delete and list names at each of them.
import { type Cluster, Site } from '../objects/site.ts';
import { untilTrue } from '../until.ts';

const writableMs = 60_000;
const large = 'x'.repeat(20_000);

export class Clusters {
  readonly site: Site;

  private constructor(site: Site) {
    this.site = site;
  }

  static async start(cleanup: AsyncDisposableStack): Promise<Clusters> {
    const site = await Site.open({ names: ['north', 'south', 'east'], ways: false });
    cleanup.defer(() => site.close());
    const clusters = new Clusters(site);
    const [north] = site.clusters;
    if (north === undefined || !(await untilTrue(writableMs, () => done(north, 'PUT', '/work'))))
      throw new Error('cannot create a container');
    return clusters;
  }

  async stepTo(some: readonly Cluster[], seconds: number, restarts: boolean): Promise<void> {
    for (const each of some) each.change({ clockMs: seconds * 1_000 });
    if (!restarts) return;
    await Promise.all(some.map((each) => each.killServers()));
    await Promise.all(some.map((each) => each.startServers()));
    await this.site.untilServed(some);
  }

  /** It ignores the answers, because a cluster whose clock alone is wrong may refuse. */
  async use(prefix: string): Promise<void> {
    for (const each of this.site.clusters)
      for (const [method, name, body] of uses(prefix))
        await each.servers[0]
          ?.client()
          .send({ method, path: `/work/${name}`, ...(body === undefined ? {} : { body }) })
          .catch(() => undefined);
  }

  /** Names that some cluster can't write, delete or list. */
  async unwritable(prefix: string): Promise<number> {
    const names = new Set(uses(prefix).map(([, name]) => name));
    let unwritable = 0;
    for (const name of names) {
      const works = await untilTrue(writableMs, async () => {
        for (const each of this.site.clusters) {
          if (!(await done(each, 'PUT', `/work/${name}`, large))) return false;
          if (!(await this.#isListed(name))) return false;
          if (!(await done(each, 'DELETE', `/work/${name}`)) || (await this.#isListed(name))) return false;
          if (!(await done(each, 'PUT', `/work/${name}`, 'small'))) return false;
        }
        return true;
      });
      if (!works) unwritable += 1;
    }
    return unwritable;
  }

  async #isListed(name: string): Promise<boolean> {
    const [first] = this.site.clusters;
    const answer = await first?.servers[0]?.client().send({ method: 'GET', path: `/work?list-type=2&prefix=${name}` });
    if (answer?.status !== 200) throw new Error('no listing');
    return answer.text.includes(`<Key>${name}</Key>`);
  }

  /** Whether the replicas failed to become equal. */
  async diverged(): Promise<boolean> {
    const rows = ({ db }: Cluster) =>
      db.query(
        'SELECT HEX(name) AS name, HEX(version) AS version, head FROM store_register WHERE kind = 0 ORDER BY 1, 2',
      );
    return !(await untilTrue(writableMs, async () => {
      const [first, ...others] = await Promise.all(
        this.site.clusters.map(async (each) => JSON.stringify(await rows(each))),
      );
      return others.every((each) => each === first);
    }));
  }
}

function uses(prefix: string): readonly (readonly [method: string, name: string, body?: string])[] {
  return [
    ['PUT', `${prefix}-small`, 'small'],
    ['PUT', `${prefix}-large`, large],
    ['PUT', `${prefix}-gone`, 'small'],
    ['DELETE', `${prefix}-gone`],
  ];
}

async function done(cluster: Cluster, method: string, path: string, body?: string): Promise<boolean> {
  const answer = await cluster.servers[0]?.client().send({ method, path, ...(body === undefined ? {} : { body }) });
  return answer !== undefined && answer.status >= 200 && answer.status < 300;
}
