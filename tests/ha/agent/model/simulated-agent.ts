// One agent. It reads etcd, decides with the real decide.ts and the real memory of admissions and times, and takes the step. Anything may
// happen in between.
import { decide, type Step } from '../../../../ha/agent/decide.ts';
import { Admissions } from '../../../../ha/agent/state/admissions.ts';
import { ApplyPace } from '../../../../ha/agent/state/apply-pace.ts';
import { SeenSince } from '../../../../ha/agent/state/seen-since.ts';
import type { HostTags } from '../../../../ha/agent/tags.ts';
import type { HostReport, SyncSet, View } from '../../../../ha/agent/view.ts';
import { fenceAfterMs, type HostName, leaseMs, limits } from './context.ts';
import type { Entries } from './simulated-etcd.ts';
import type { Agent, Context, SimulatedHost } from './simulated-host.ts';

type Shared = NonNullable<View['shared']>;

export class SimulatedAgent implements Agent {
  readonly #host: SimulatedHost;
  readonly #context: Context;
  readonly #heard = new Map<string, { text: string; atMs: number; received: number; advancedAtMs: number }>();
  #phase: 'read' | 'decide' | 'execute' | 'asking' = 'read';
  #shared: View['shared'];
  #step: Step | undefined;
  readonly #admissions: Admissions;
  readonly #since: SeenSince;
  readonly #pace: ApplyPace;
  #isBack = false;
  readonly #heardAway = new Map<string, { readonly text: string; readonly atMs: number }>();
  #sealedRevision: number | undefined;
  #isRenewing = false;

  constructor(host: SimulatedHost, context: Context) {
    this.#host = host;
    this.#context = context;
    this.#admissions = new Admissions(context.names, () => context.nowMs);
    this.#since = new SeenSince(() => context.nowMs);
    this.#pace = new ApplyPace(() => context.nowMs);
  }

  get state(): object {
    return { phase: this.#phase, step: this.#step };
  }

  goOn(): void {
    if (this.#phase === 'read') this.#read();
    else if (this.#phase === 'decide') this.#decide();
    else if (this.#phase === 'execute' && this.#step !== undefined) {
      this.#phase = 'read';
      this.#execute(this.#step);
    }
  }

  renew(): void {
    const { nowMs, etcd } = this.#context;
    const { server, reign } = this.#host;
    if (reign === undefined || this.#isRenewing || nowMs >= reign.fenceAtMs) return;
    const isDead = server !== undefined && nowMs - server.aliveAtMs >= limits.heartbeatMs;
    if (isDead && this.#shared?.sync?.members.length !== 0) return;
    this.#isRenewing = true;
    this.#ask(
      () => etcd.renew(reign.lease, this.#context.nowMs + leaseMs),
      (isRenewed) => {
        this.#isRenewing = false;
        if (isRenewed !== true || this.#host.reign !== reign || this.#context.nowMs >= reign.fenceAtMs) return;
        reign.fenceAtMs = nowMs + fenceAfterMs;
        this.#host.fenceAtMs = reign.fenceAtMs;
      },
    );
  }

  /** `done` belongs to this agent only: a restarted agent gets no answer. */
  #ask<Result>(work: () => Result, done: (result: Result | undefined) => void): void {
    this.#context.messages.ask(!this.#host.isCutFromEtcd, work, (result) => {
      if (this.#host.agent === this) done(result);
    });
  }

  #askAndGoOn<Result>(work: () => Result, done: (result: Result | undefined) => void = () => undefined): void {
    this.#phase = 'asking';
    this.#ask(work, (result) => {
      this.#phase = 'read';
      done(result);
    });
  }

  #read(): void {
    this.#report();
    this.#phase = 'asking';
    this.#ask(
      () => this.#context.etcd.read(),
      (entries) => {
        this.#shared = entries && this.#sharedOf(entries);
        this.#phase = 'decide';
      },
    );
  }

  #report(): void {
    const { answering, received, name, api } = this.#host;
    if (answering === undefined) return;
    const { incarnation, replica } = answering;
    const receiving = replica?.receiving === true && !replica.diverged && this.#host.isConnected;
    const { reign, admission } = replica ?? {};
    const asks = this.#since.asking?.reign;
    const { drainsInMs } = this.#pace;
    const told = { incarnation, reign, admission, asks, receiving, received, api, drainsInMs };
    const text = JSON.stringify({ ...told, at: this.#context.nowMs });
    this.#ask(
      () => this.#context.etcd.put(`hosts/${name}`, text),
      () => undefined,
    );
  }

  #sharedOf(entries: Entries): Shared {
    const sync = entries.get('sync');
    const reports: Record<string, HostReport> = {};
    for (const name of this.#context.names) {
      const text = entries.get(`hosts/${name}`)?.value as string | undefined;
      if (text === undefined) continue;
      const told = JSON.parse(text) as HostReport;
      const { atMs: heardAtMs, advancedAtMs } = this.#hear(name, text, told.received);
      reports[name] = { ...told, heardAtMs, advancedAtMs };
    }
    return {
      leader: entries.get('leader')?.value as Shared['leader'],
      sync: sync && { ...(sync.value as SyncSet), revision: sync.revision },
      reports,
      clocksAheadMs: {},
      backAtMs: this.#backAtMs(entries),
      tags: Object.fromEntries(
        this.#context.names.flatMap((name) => {
          const tags = entries.get(`tags/${name}`)?.value;
          return tags === undefined ? [] : [[name, tags as HostTags]];
        }),
      ),
      wishes: {
        reinit: this.#context.names.filter((name) => entries.get(`reinit/${name}`) !== undefined),
        paused: entries.get('paused')?.value === true,
        switchoverTo: entries.get('switchover')?.value as string | undefined,
      },
    };
  }

  #backAtMs(entries: Entries): Record<string, number> {
    const back: Record<string, number> = {};
    for (const name of this.#context.names) {
      const text = entries.get(`away/${name}`)?.value as string | undefined;
      if (text === undefined) continue;
      const before = this.#heardAway.get(name);
      if (before?.text !== text) this.#heardAway.set(name, { text, atMs: this.#context.nowMs });
      const { isBack } = JSON.parse(text) as { isBack: boolean };
      if (isBack) back[name] = this.#heardAway.get(name)?.atMs ?? 0;
    }
    return back;
  }

  #tellBack(isBack: boolean): void {
    if (!isBack && !this.#isBack) return;
    this.#isBack = isBack;
    const text = JSON.stringify({ isBack, at: this.#context.nowMs });
    this.#ask(
      () => this.#context.etcd.put(`away/${this.#host.name}`, text),
      () => undefined,
    );
  }

  #hear(name: string, text: string, received: number) {
    const before = this.#heard.get(name);
    if (before?.text === text) return before;
    const { nowMs: atMs } = this.#context;
    const advancedAtMs = before !== undefined && received <= before.received ? before.advancedAtMs : atMs;
    const now = { text, atMs, received, advancedAtMs };
    this.#heard.set(name, now);
    return now;
  }

  #decide(): void {
    const { options, nowMs } = this.#context;
    const shared = this.#shared;
    if (shared !== undefined) this.#since.saw(shared);
    const server = this.#host.view();
    this.#pace.saw(server);
    this.#since.sawServer(server, this.#host.reign);
    const { leaderlessSinceMs, wishedSinceMs, asking, failedStartAtMs } = this.#since;
    const { drainsInMs, stalledMs } = this.#pace;
    const { current: admission, failedAtMs } = this.#admissions;
    const seen: View = {
      ...{ me: this.#host.name, nowMs, shared, server, reign: this.#host.reign },
      strict: options.strict ?? false,
      ...{ admission, failedAtMs: { ...failedAtMs }, sealedRevision: this.#sealedRevision },
      ...{ leaderlessSinceMs, wishedSinceMs, asking, api: this.#host.api },
      ...{ drainsInMs, stalledMs, failedStartAtMs },
    };
    const view = options.view?.(seen) ?? seen;
    const step = decide(view, limits);
    this.#since.decided(step, view);
    this.#tellBack(step.kind === 'wait' && step.isBack === true);
    this.#step = options.step?.(step, view) ?? step;
    this.#phase = 'execute';
  }

  #execute(step: Step): void {
    const host = this.#host;
    const server = host.answering;
    switch (step.kind) {
      case 'wait':
        // Its data is the one to copy.
        if (this.#shared?.sync?.primary === host.name && this.#shared.wishes.reinit?.includes(host.name))
          this.#forgetReinit();
        break;
      case 'fence':
      case 'hand-over':
        this.#giveUp(() => host.kill());
        break;
      case 'resign':
        this.#giveUp(() => undefined);
        break;
      case 'close':
        // The step ends only when no commit is under way.
        if (server?.waiting.length === 0) server.writable = false;
        break;
      case 'start':
        host.start(step.role);
        break;
      case 'follow':
        host.follow(step.host as HostName, step.reign, step.admission);
        break;
      case 'clone':
        if (host.copyFrom(step.host as HostName)) this.#forgetReinit();
        break;
      case 'take-lead':
        this.#takeLead(step.syncRevision);
        break;
      case 'end-sessions':
        host.blocked = false;
        break;
      case 'stop-receiving':
      case 'rest':
        if (server?.replica !== undefined) server.replica.receiving = false;
        break;
      case 'take-sync': {
        const reign = host.reign?.id ?? '';
        this.#changeSync(step.syncRevision, () => {
          this.#context.etcd.delete('switchover');
          return { primary: host.name, epoch: step.epoch, reign, members: [] };
        });
        break;
      }
      case 'seal':
        this.#changeSync(step.syncRevision, (sync) => sync);
        break;
      case 'detach':
        this.#admissions.waitFor(step.host);
        this.#changeSync(step.syncRevision, (sync) => ({ ...sync, members: [], admission: undefined }));
        break;
      case 'withdraw':
        this.#changeSync(step.syncRevision, (sync) => ({ ...sync, admission: undefined }));
        break;
      case 'bar':
        if (server !== undefined) host.bar();
        break;
      case 'invite': {
        if (server === undefined) break;
        const admission = { host: step.host, id: this.#context.newId('admission') };
        if (this.#context.options.barLeaves !== undefined) host.bar();
        host.addAccount(admission.id);
        this.#admissions.invited(admission, step.early);
        this.#changeSync(step.syncRevision, (sync) => ({ ...sync, admission }));
        break;
      }
      case 'admit': {
        this.#admissions.end();
        this.#context.admitted += 1;
        const member = { host: step.host, incarnation: step.incarnation };
        const { random, options, messages } = this.#context;
        const isLate = random.next() < (options.rates?.lateAdmissions ?? 0);
        const change = this.#changeOf(step.syncRevision, (sync) => ({ ...sync, members: [member] }));
        this.#sealedRevision = undefined;
        if (isLate) messages.late(change);
        else this.#askAndGoOn(change);
        break;
      }
      case 'open':
        host.open(step.epoch, step.waits);
        break;
      case 'release':
        this.#admissions.end();
        if (server?.writable === true) this.#admissions.letGo();
        if (server !== undefined) host.release();
        break;
      case 'hold':
        if (server !== undefined) server.semiSync = true;
        break;
      case 'refuse':
        this.#admissions.refused(step.yields);
        break;
      case 'arm': {
        const invited = this.#admissions.current;
        if (server === undefined || invited === undefined) break;
        server.semiSync = true;
        this.#admissions.waitFor(step.host);
        this.#admissions.armed(invited, step.host, step.incarnation);
        break;
      }
      case 'prove':
        if (server !== undefined) this.#prove();
    }
  }

  #forgetReinit(): void {
    this.#askAndGoOn(() => this.#context.etcd.delete(`reinit/${this.#host.name}`));
  }

  #giveUp(kill: () => void): void {
    const { etcd } = this.#context;
    const { reign } = this.#host;
    kill();
    this.#host.reign = undefined;
    this.#admissions.end();
    if (reign === undefined) return;
    this.#askAndGoOn(() => etcd.revoke(reign.lease));
  }

  #takeLead(syncRevision: number): void {
    const { etcd, newId, nowMs } = this.#context;
    const [id, lease] = [newId('reign'), newId('lease')];
    this.#host.reign = { id, lease, fenceAtMs: nowMs + fenceAfterMs };
    this.#host.fenceAtMs = nowMs + fenceAfterMs;
    this.#askAndGoOn(() => {
      etcd.grant(lease, this.#context.nowMs + leaseMs);
      return etcd.transact({ leader: 0, ...this.#ifSync(syncRevision) }, () =>
        etcd.put('leader', { host: this.#host.name, reign: id }, lease),
      );
    });
  }

  #changeSync(syncRevision: number, to: (sync: SyncSet) => SyncSet): void {
    this.#askAndGoOn(this.#changeOf(syncRevision, to), (result) => {
      if (result !== undefined && result !== false) this.#sealedRevision = result.revision;
    });
  }

  #changeOf(syncRevision: number, to: (sync: SyncSet) => SyncSet) {
    const { etcd } = this.#context;
    // The agent knows the revision of its lead because it read it.
    const leader = etcd.value('leader') as Shared['leader'];
    const leaderRevision = leader?.reign === this.#host.reign?.id ? etcd.revision('leader') : -1;
    return () =>
      etcd.transact({ leader: leaderRevision, ...this.#ifSync(syncRevision) }, () =>
        etcd.put('sync', to(etcd.value('sync') as SyncSet)),
      );
  }

  #ifSync(revision: number): Record<string, number> {
    return this.#context.options.comparesNothing === true ? {} : { sync: revision };
  }

  #prove(): void {
    const proving = this.#admissions.prove();
    if (proving === undefined) return;
    const done = () => this.#admissions.proved(proving);
    if (this.#context.options.provesNothing === true) done();
    else this.#host.commit(this.#context.newId('proof'), done);
  }
}
