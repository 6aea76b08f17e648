// The program of the judge's process (process-judge.ts), for one supergraph. It imports little, so that it starts fast.
import { flushCompileCache } from 'node:module';
import { Supergraph } from '../supergraph/supergraph.ts';
import { DocumentChecks } from './document-checks.ts';
import { judged, type Question, type Verdict } from './document-judge.ts';
import type { OperationLimits } from './limits.ts';

/** The first message to the process, and all later messages. */
export type ToJudge = { readonly supergraphSdl: string; readonly limits: OperationLimits } | Question;

/** Answers. The first request is only acknowledged. */
export type FromJudge = Verdict | { readonly kind: 'ready' } | { readonly kind: 'fault'; readonly reason: string };

let checks: DocumentChecks | undefined;

process.on('message', (message: ToJudge) => {
  process.send?.(answerTo(message));
});

process.on('disconnect', () => process.exit(0));

function answerTo(message: ToJudge): FromJudge {
  try {
    if ('supergraphSdl' in message) {
      checks = new DocumentChecks(new Supergraph(message.supergraphSdl), message.limits);
      // If the process is killed later, Node would write nothing at its end.
      flushCompileCache();
      return { kind: 'ready' };
    }
    if (checks === undefined) throw new Error('there is no supergraph yet');
    return judged(checks, message);
  } catch (error) {
    return { kind: 'fault', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
