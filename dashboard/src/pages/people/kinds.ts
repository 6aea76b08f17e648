// The page of people reads its lists by itself. It follows the changes of users, projects and tokens.
import type { Openable } from '../../filters/filters.ts';
import type { Subjects } from '../../live/entity-kind.ts';

export const userType = { typename: 'User', openParameter: 'user' } as const;
export const projectType = { typename: 'Project', openParameter: 'show' } as const;
export const tokenType = { typename: 'ApiToken', openParameter: 'token' } as const;

/** What the drawer shows. */
export const openables: readonly Openable[] = [userType, projectType, tokenType];

export const subjects: Subjects = {
  kinds: [],
  others: [
    { typename: 'User', word: 'user', nameField: 'name' },
    { typename: 'Project', word: 'project', nameField: 'name' },
    { typename: 'ApiToken', word: 'token', nameField: 'name' },
  ],
};
