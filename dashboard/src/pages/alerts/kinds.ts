// The page of alerts reads its lists by itself, again after each change of an alert, a rule or a channel.
import type { Openable } from '../../filters/filters.ts';
import type { Subjects } from '../../live/entity-kind.ts';

export const alertType = { typename: 'Alert', openParameter: 'alert' } as const;
export const channelType = { typename: 'AlertChannel', openParameter: 'channel' } as const;

/** What the drawer shows. */
export const openables: readonly Openable[] = [alertType, channelType];

export const subjects: Subjects = {
  kinds: [],
  others: [
    { typename: 'Alert', word: 'alert', nameField: 'ruleName' },
    { typename: 'AlertRule', word: 'rule', nameField: 'name' },
    { typename: 'AlertChannel', word: 'channel', nameField: 'name' },
  ],
};
