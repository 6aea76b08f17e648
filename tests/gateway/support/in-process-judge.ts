// The judge without its process, for tests of its verdicts and not of its process.
import { DocumentChecks } from '../../../gateway/access/document-checks.ts';
import { type Judge, judged } from '../../../gateway/access/document-judge.ts';
import type { OperationLimits } from '../../../gateway/access/limits.ts';
import type { Supergraph } from '../../../gateway/supergraph/supergraph.ts';

export function inProcessJudge(supergraph: Supergraph, limits: OperationLimits): Judge {
  const checks = new DocumentChecks(supergraph, limits);
  return { judge: async (question) => judged(checks, question) };
}
