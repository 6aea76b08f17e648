// Carries out a decided step, with its effects on the server, in etcd and for clients in the right order.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EtcdClient } from '../etcd.ts';
import type { Step } from './decide.ts';
import type { HaHistory } from './history.ts';
import type { HaKeys } from './keys.ts';
import type { LeadHolder } from './lead.ts';
import { leaseAfter } from './limits.ts';
import type { HaServer } from './server.ts';
import type { Admissions } from './state/admissions.ts';
import type { Announcing } from './state/announcing.ts';
import type { Copies } from './state/copies.ts';
import type { LeavingClients } from './state/leaving-clients.ts';
import type { Seen, SyncWriter } from './state/sync-writer.ts';
import type { StayingOut } from './staying-out.ts';

export interface ActorOptions {
  readonly me: string;
  /** Of a lead, unless earlier ones were lost. */
  readonly leaseMs: number;
  readonly keys: HaKeys;
  readonly etcd: Pick<EtcdClient, 'transact'>;
  readonly server: Pick<
    HaServer,
    | (
        | 'start'
        | 'kill'
        | 'follow'
        | 'rest'
        | 'stopReceiving'
        | 'applyReceived'
        | 'endSessions'
        | 'newestEpoch'
        | 'open'
        | 'closeWrites'
      )
    | ('allow' | 'bar' | 'waitForAcknowledgements' | 'prove')
  >;
  readonly lead: Pick<LeadHolder, 'current' | 'prepare' | 'giveUp'>;
  readonly history: Pick<HaHistory, 'change' | 'fencedBy' | 'opened' | 'ended' | 'save' | 'lateLeads'>;
  readonly staying: Pick<StayingOut, 'led' | 'mayReturn'>;
  readonly admissions: Admissions;
  readonly sync: SyncWriter;
  readonly announcing: Pick<Announcing, 'lost'>;
  readonly copies: Pick<Copies, 'begin'>;
  readonly clients: Pick<LeavingClients, 'haveLeft' | 'handedOver'>;
  readonly nowMs: () => number;
  /** A commit was acknowledged. */
  readonly onProved: () => void;
}

const startPauseMs = 1_000;
const admissionIdBytes = 8;

type Of<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

export class Actor {
  readonly #options: ActorOptions;
  #startedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ActorOptions) {
    this.#options = options;
  }

  async act(step: Step, seen: Seen): Promise<void> {
    const { server, history, staying, admissions, sync, announcing, copies, clients } = this.#options;
    switch (step.kind) {
      case 'wait':
        return;
      case 'fence':
        announcing.lost();
        server.kill();
        return this.#giveUp(step.why, step.isLate);
      case 'resign':
        announcing.lost();
        return this.#giveUp(step.why);
      case 'close':
        return clients.haveLeft() ? server.closeWrites() : undefined;
      case 'hand-over':
        clients.handedOver();
        announcing.lost();
        // Best effort: if the mark remains, the host stays out.
        void staying.mayReturn().catch(() => undefined);
        server.kill();
        return this.#giveUp(step.why);
      case 'start':
        // Pauses between starts of a server that ends at once, for example on a full disk.
        if (seen.nowMs - this.#startedAtMs < startPauseMs) return sleep(startPauseMs);
        this.#startedAtMs = this.#options.nowMs();
        // A start as a standby rolls back the transactions that no host has acknowledged.
        if (step.role === 'SLAVE') await history.save();
        return server.start(step.role);
      case 'follow':
        await staying.mayReturn();
        return server.follow(step.host, step.reign, step.admission);
      case 'rest':
        return server.rest();
      case 'clone':
        return copies.begin(step.host);
      case 'take-lead':
        return this.#takeLead(step);
      case 'stop-receiving':
        return server.stopReceiving();
      case 'end-sessions':
        return server.endSessions();
      case 'apply-received':
        return server.applyReceived(step.from, step.reign);
      case 'take-sync':
        return this.#takeSync(step, seen);
      case 'open':
        return this.#open(step);
      case 'seal':
        return sync.change(seen, step.syncRevision, (plain) => plain);
      case 'detach':
        admissions.waitFor(step.host);
        return sync.change(seen, step.syncRevision, (plain) => ({ ...plain, members: [], admission: undefined }));
      case 'withdraw':
        return sync.change(seen, step.syncRevision, (plain) => ({ ...plain, admission: undefined }));
      case 'bar':
        return server.bar();
      case 'invite': {
        const admission = { host: step.host, id: randomBytes(admissionIdBytes).toString('hex') };
        await server.allow(admission.id, admission.host);
        admissions.invited(admission, step.early);
        return sync.change(seen, step.syncRevision, (plain) => ({ ...plain, admission }));
      }
      case 'arm': {
        const invited = admissions.current;
        if (invited === undefined) return;
        admissions.waitFor(step.host);
        await server.waitForAcknowledgements(true);
        return admissions.armed(invited, step.host, step.incarnation);
      }
      case 'prove':
        return this.#prove();
      case 'admit':
        admissions.end();
        return sync.admit(seen, step.syncRevision, { host: step.host, incarnation: step.incarnation });
      case 'refuse':
        return admissions.refused(step.yields);
      case 'hold':
        return server.waitForAcknowledgements(true);
      case 'release':
        admissions.end();
        await server.waitForAcknowledgements(false);
        if (seen.server.state === 'up' && seen.server.writable) admissions.letGo();
        return;
    }
  }

  async #giveUp(why: string, isLate = false): Promise<void> {
    const { admissions, history, lead } = this.#options;
    admissions.end();
    const { current } = lead;
    if (current === undefined) return;
    await history.ended(current.id, why, isLate);
    await lead.giveUp();
  }

  async #takeLead({ syncRevision }: Of<'take-lead'>): Promise<void> {
    const { me, keys, etcd, lead, history, leaseMs } = this.#options;
    const { id, lease } = await lead.prepare(leaseAfter(await history.lateLeads(), leaseMs));
    await etcd.transact(
      [
        { key: keys.leader, revision: 0 },
        { key: keys.sync, revision: syncRevision },
      ],
      [{ put: keys.leader, value: JSON.stringify({ host: me, reign: id }), lease }],
    );
  }

  async #takeSync(step: Of<'take-sync'>, seen: Seen): Promise<void> {
    const { me, keys, server, history, sync } = this.#options;
    const { lossy, syncRevision } = step;
    // The database may have belonged to another cluster or to a single machine.
    const epoch = Math.max(step.epoch, (await server.newestEpoch()) + 1);
    // Wishes that were granted, or that this promotion makes obsolete.
    const granted = [{ delete: keys.switchover }, { delete: keys.lossy }];
    return sync.change(seen, syncRevision, (_plain, reign) => ({ primary: me, epoch, reign, lossy, members: [] }), [
      ...granted,
      ...(await history.change(seen, epoch, lossy)),
    ]);
  }

  async #open({ epoch, lossy, waits }: Of<'open'>): Promise<void> {
    const { server, lead, history, staying, nowMs } = this.#options;
    const id = lead.current?.id;
    if (id === undefined) return;
    const mayOpen = () => nowMs() < (lead.current?.id === id ? lead.current.fenceAtMs : 0);
    const fenced = await history.fencedBy(epoch);
    await server.open({ epoch, lossy, fenced, waits, mayOpen });
    await history.opened();
    return staying.led();
  }

  /** Not awaited: the commit lasts until a host acknowledges it. */
  #prove(): void {
    const { server, admissions, onProved } = this.#options;
    const proving = admissions.prove();
    if (proving === undefined) return;
    server.prove().then(
      () => {
        admissions.proved(proving);
        onProved();
      },
      () => undefined,
    );
  }
}
