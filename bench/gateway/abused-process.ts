// This project's gateway in its own process, which also reports the delay of its event loop.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { answerParent } from '../../measure/child.ts';
import { type GatewayOrder, startGateway } from './own-gateway.ts';

/** `watch: false` ends a phase and returns the delay in it. */
export type AbusedOrder = { readonly gateway: GatewayOrder } | { readonly watch: boolean };

/** Includes the 10 ms between two samples. */
export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

let delay = monitorEventLoopDelay();

answerParent(async (order: AbusedOrder): Promise<string | LoopDelay | undefined> => {
  if ('gateway' in order) return startGateway(order.gateway);
  if (order.watch) {
    delay = monitorEventLoopDelay();
    delay.enable();
    return undefined;
  }
  delay.disable();
  return { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 };
});
