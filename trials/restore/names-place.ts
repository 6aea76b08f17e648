// Names in the trial of restores: a conductor with a worker, a checker and two of our name servers, each with its disk. After the restore
// the servers answer according to the database, and no serial stands for two contents.
import { join } from 'node:path';
import type { NamePlan } from '../../dns/policy/plan.ts';
import type { CertificateAndKey } from '../../platform/net/certificates.ts';
import type { RestoreGuard } from '../../platform/restore/restore-guard.ts';
import type { ConductorLinks } from '../../subgraphs/gslb/control/machines/conductor-links.ts';
import { answeredOfZone } from '../../subgraphs/gslb/control/stores/name-store.ts';
import { GslbPlace, type TestChecker, zone } from '../../tests/subgraphs/gslb/support/gslb-place.ts';
import { linksOf, Serials, type ServedZone, serveZone } from '../../tests/subgraphs/gslb/support/served-zone.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { type TestMachine, testAuthority, testMachine } from '../../tests/support/product/machines.ts';
import { backUp } from '../../tests/support/stores/backup.ts';
import { untilTrue } from '../until.ts';
import { commit, type Found, guardOf, lift, mostMs, notice, type RestoredPlace, type TrialOfRestore } from './place.ts';

/** Longest wait for a server; after that the name counts as not served. */
const servedMs = 10_000;

export class NamesPlace implements RestoredPlace {
  readonly #place: GslbPlace;
  readonly #folder: string;
  readonly #authority: CertificateAndKey;
  readonly #tls: readonly TestMachine[];
  readonly #serials = new Serials();
  readonly #checker: TestChecker;
  readonly #members: readonly string[];
  readonly #servers: (ServedZone | undefined)[] = [];
  #conductor:
    | { readonly links: ConductorLinks; readonly guard: RestoreGuard; readonly endWork: () => Promise<void> }
    | undefined;
  #port = 0;

  private constructor(
    place: GslbPlace,
    folder: string,
    own: readonly [CertificateAndKey, readonly TestMachine[], TestChecker, readonly string[]],
  ) {
    this.#place = place;
    this.#folder = folder;
    [this.#authority, this.#tls, this.#checker, this.#members] = own;
  }

  static async open(folder: string): Promise<NamesPlace> {
    const place = await GslbPlace.open();
    const { log } = place.ground;
    const authority = await testAuthority();
    const tls = [await testMachine(authority, 'dns', 'ns1', log), await testMachine(authority, 'dns', 'ns2', log)];
    const checker = await place.vantagePoint('v');
    const members = [
      await place.member('one', { addresses: ['192.0.2.1'] }),
      await place.member('two', { addresses: ['192.0.2.2'] }),
    ];
    const opened = new NamesPlace(place, folder, [authority, tls, checker, members]);
    await opened.#startConductor();
    for (const at of tls.keys()) await opened.#startServer(at);
    return opened;
  }

  async stop(): Promise<void> {
    for (const at of this.#tls.keys()) await this.#stopServer(at);
    await this.#stopConductor();
    await this.#place.close();
  }

  async trial({ number, random, most }: TrialOfRestore): Promise<Found> {
    const place = this.#place;
    const { db } = place.ground;
    const clashesBefore = this.#serials.clashes.length;
    const fresh = (label: string) => `t${number}-${label}`;
    await this.#say('UP', 'UP');
    await place.name(fresh('kept'));
    const doomed = await place.name(fresh('doomed'));
    await waitFor('the zone before the backup', () => this.#serves());
    await using cleanup = new AsyncDisposableStack();
    const backup = await backUp(place.database);
    cleanup.defer(() => backup.remove());

    // A creation, a deletion and a failure, and more creations.
    const changes = random.integer(1, Math.min(most, 60));
    for (let count = 0; count < changes; count += 1) await place.name(fresh(`late${count}`));
    await this.#delete(doomed);
    await this.#say('UP', 'DOWN');
    await waitFor('the zone after the backup', () => this.#serves());
    await commit(db);

    const isServerAway = random.next() < 0.5;
    const runsOn = random.next() < 0.5;
    if (isServerAway) await this.#stopServer(1);
    if (!runsOn) await this.#stopConductor();
    await backup.restore();
    if (!runsOn) await this.#startConductor();
    const noticed = await notice(db);
    // The first change after the restore gets a number that a server knows with another content.
    await place.name(fresh('fresh'));
    await waitFor('links', () => this.#connected().every(({ server }) => server.figures().connected));
    const staleMs = [await this.#staleMs()];
    if (isServerAway) {
      await this.#startServer(1);
      await waitFor('the link', () => this.#connected().every(({ server }) => server.figures().connected));
      staleMs.push(await this.#staleMs());
    }
    // Checkers repeat their reports to the database that does not have them.
    await place.connect(this.#checker);
    await this.#say('UP', 'DOWN');
    const follows = await untilTrue(servedMs, async () => (await this.#serves()) && !this.#answersDead());
    const activeButNotServed = await this.#activeButNotServed();
    await lift(db);
    for (const { id } of await this.#live()) await this.#delete(id);
    await untilTrue(mostMs, async () => (await this.#serves()) && (await this.#live()).length === 0);
    return {
      ...{
        changes,
        ...noticed,
        activeButNotServed: activeButNotServed + (follows && staleMs.every((ms) => ms < servedMs) ? 0 : 1),
      },
      staleAfterMs: Math.max(...staleMs),
      diverged: this.#serials.clashes.length - clashesBefore,
    };
  }

  #connected(): readonly ServedZone[] {
    return this.#servers.filter((each) => each !== undefined);
  }

  /** Waits until each running server serves the state of the database. Returns `servedMs` if none did. */
  async #staleMs(): Promise<number> {
    const sinceMs = performance.now();
    const isServed = await untilTrue(servedMs, () => this.#serves());
    return isServed ? Math.round(performance.now() - sinceMs) : servedMs;
  }

  /** Whether each running server has exactly the names and members of the database. */
  async #serves(): Promise<boolean> {
    const text = (plans: readonly NamePlan[]) =>
      plans
        .map(({ fqdn, members }) => `${fqdn} ${members.map(({ memberId, up }) => `${memberId} ${up}`).sort()}`)
        .sort()
        .join('\n');
    const wanted = text((await answeredOfZone(this.#place.ground.db, zone)).map(({ plan }) => plan));
    return this.#connected().every((each) => {
      this.#serials.serialOf(each);
      return text(each.answerer.plan(`${zone}.`)?.names ?? []) === wanted;
    });
  }

  #answersDead(): boolean {
    const [, dead] = this.#members;
    return this.#connected().some(({ answerer }) =>
      (answerer.plan(`${zone}.`)?.names ?? []).some(({ members }) =>
        members.some(({ memberId, up }) => memberId === dead && up),
      ),
    );
  }

  async #activeButNotServed(): Promise<number> {
    const { db } = this.#place.ground;
    const rows = await db.query<{ fqdn: string }>("SELECT fqdn FROM gslb WHERE provisioning_status = 'ACTIVE'");
    const served = this.#connected().map(
      ({ answerer }) => new Set((answerer.plan(`${zone}.`)?.names ?? []).map(({ fqdn }) => fqdn)),
    );
    return rows.filter(({ fqdn }) => !served.every((names) => names.has(`${fqdn}.`) || names.has(fqdn))).length;
  }

  async #live(): Promise<readonly { readonly id: string }[]> {
    return this.#place.ground.db.query<{ id: string }>(
      "SELECT id FROM gslb WHERE provisioning_status <> 'DELETED' AND plan IS NOT NULL",
    );
  }

  /** Does the same as the mutation. */
  async #delete(id: string): Promise<void> {
    await this.#place.ground.db.execute(
      "UPDATE gslb SET action = 'DELETE', provisioning_status = 'DELETING' WHERE id = ?",
      [id],
    );
    await this.#place.work('gslb-plan', id);
  }

  async #say(...verdicts: readonly ('UP' | 'DOWN')[]): Promise<void> {
    await this.#place.say(this.#checker, Object.fromEntries(this.#members.map((id, at) => [id, verdicts[at] ?? 'UP'])));
  }

  async #startConductor(): Promise<void> {
    const place = this.#place;
    const guard = await guardOf(place.ground, join(this.#folder, 'conductor'));
    const links = await linksOf(place, this.#authority, this.#port);
    this.#port = links.nameServerPort ?? 0;
    this.#conductor = { links, guard, endWork: place.worker() };
  }

  async #stopConductor(): Promise<void> {
    const conductor = this.#conductor;
    this.#conductor = undefined;
    await conductor?.endWork();
    await conductor?.links.stop();
    await conductor?.guard.stop();
  }

  async #startServer(at: number): Promise<void> {
    const tls = this.#tls[at];
    if (tls === undefined) throw new Error('there is no such server');
    const zones = { place: this.#place, folder: this.#folder, port: this.#port };
    this.#servers[at] = await serveZone(zones, `ns${at + 1}`, tls);
  }

  async #stopServer(at: number): Promise<void> {
    const server = this.#servers[at];
    this.#servers[at] = undefined;
    await server?.server.stop();
  }
}
