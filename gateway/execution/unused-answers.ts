// Answers that the planner (0.0.38) requests under a name of its own and then ignores: when two requirements give a field different arguments, it
// asks for both, and uses the same value for both. Such a plan would return a wrong value without an error.
import type { PlanNode } from './planner.ts';

/** A name that the planner gives to a field whose own name is taken. */
const ownName = /_internal_qp_alias_\d+(?=:)/g;

export function hasUnusedAnswer(plan: PlanNode): boolean {
  const asked = new Set<string>();
  const rest = JSON.stringify(plan, (key, value: unknown) => {
    if (key !== 'operation') return value;
    for (const [name] of String(value).matchAll(ownName)) asked.add(name);
    return undefined;
  });
  return [...asked].some((name) => !rest.includes(`"${name}"`));
}
