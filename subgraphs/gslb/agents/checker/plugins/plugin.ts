// A check plugin: the type of monitor that it serves, and `check`.
import type { Socket } from 'node:net';
import type { CheckReading, ProbeRun } from '../../../../../platform/checks/probe.ts';
import type { EgressPolicy } from '../../../../../platform/net/egress.ts';
import type { Address } from '../../../../../platform/net/origin.ts';
import type { JsonObject } from '../../../../../platform/values/json.ts';
import type { CheckType } from '../../../spec/check-types.ts';
import type { OpenStack } from '../tools/openstack.ts';
import type { ProgramCall, ProgramResult } from '../tools/programs.ts';

/** One address of a member to check, already allowed by the egress policy and the vantage point's blocks. */
export interface Checked<Parameters> {
  /** The member's address, or the name that gave it. */
  readonly host: string;
  readonly address: string;
  /** 0 if the plugin needs none. */
  readonly port: number;
  readonly parameters: Parameters;
  /** The monitor's credentials: for the member alone, never in a message. */
  readonly secret: JsonObject | undefined;
}

/** Tools that the checker provides to its plugins. */
export interface CheckTools {
  /** Connects where `egress` allows it. The caller listens to 'error', and destroys the socket. */
  dial(egress: EgressPolicy, where: Address): Socket;
  readonly pinger: {
    /** Resolves with the round-trip time of the first answer to an echo request after the call. `giveUp` ends the wait. */
    ping(address: string, giveUp: AbortSignal): Promise<number>;
  };
  /** Reads objects of OpenStack. */
  readonly openStack: Pick<OpenStack, 'get'>;
  readonly programs: {
    /** Runs a program of the checker's settings by its name. Rejects when there is none, or it could not be run. */
    run(name: string, call: ProgramCall): Promise<ProgramResult>;
  };
}

export interface Measured {
  /** Set if it differs from the check's own duration. */
  readonly latencyMs: number;
}

export interface CheckPlugin<Parameters = never> extends CheckType {
  /** Its parameters contain the destination, so it runs once per target and checks `run.egress` itself. */
  readonly connectsItself?: true;
  /**
   * Resolves with the result: a target without an answer is `up: false`. Rejects if the check could not be made, which is no
   * result. `run.onCancel` or `run.signal` signal the deadline. Each dialled address must be checked with `run.egress`.
   */
  check(checked: Checked<Parameters>, run: ProbeRun, tools: CheckTools): Promise<CheckReading<Measured>>;
}
