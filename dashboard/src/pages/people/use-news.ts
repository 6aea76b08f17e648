// When the lists of the page are read again.
import { useLiveState } from '../../context.ts';

/** The last use of tokens has no event. */
export const everyMs = 30_000;

/** Another text after each change of users, projects, memberships and tokens. */
export function useNews(): string | undefined {
  return useLiveState().feed[0]?.id;
}
