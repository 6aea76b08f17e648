// The status events of users, projects, memberships, tokens, machines, published operations, alerts and the hosts of the database.

import { roles } from '../../../platform/caller/identity.ts';
import { columnOf, declareEvents } from '../../../platform/events/kinds.ts';

/** Of the subjects, as `declareEvents` takes them. */
const names = {
  Project: columnOf('project'),
  User: columnOf('user'),
  ApiToken: columnOf('api_token'),
  Machine: columnOf('machine'),
  // There is one.
  HaCluster: null,
  PublishedOperation: columnOf('published_operation'),
  Alert: columnOf('alert', 'rule_name'),
  AlertRule: columnOf('alert_rule'),
  AlertChannel: columnOf('alert_channel'),
};

export const systemEvents = declareEvents(names, {
  'project.created': { subject: 'Project', values: ['ACTIVE'], meaning: 'A project was created.' },
  'project.changed': { subject: 'Project', values: ['ACTIVE'], meaning: 'The description of a project changed.' },
  'project.deleted': {
    subject: 'Project',
    values: ['ACTIVE', 'DELETED'],
    meaning: 'A project was deleted, with its memberships and API tokens.',
  },
  'membership.changed': {
    subject: 'Project',
    values: ['NONE', ...roles],
    meaning: "A user's role in the project changed; `reason` names the user.",
  },
  'user.created': { subject: 'User', values: ['ACTIVE'], meaning: 'A user was created; administrators see it.' },
  'user.changed': {
    subject: 'User',
    values: ['ACTIVE', 'DISABLED'],
    meaning: 'A user changed; `reason` names what changed. Administrators see it.',
  },
  'apiToken.created': { subject: 'ApiToken', values: ['ACTIVE'], meaning: 'An API token was issued.' },
  'machine.created': {
    subject: 'Machine',
    values: ['INVITED'],
    meaning: 'A machine was created; administrators see it.',
  },
  'machine.joined': {
    subject: 'Machine',
    values: ['INVITED', 'JOINED'],
    meaning: 'A machine joined; administrators see it.',
  },
  'machine.revoked': {
    subject: 'Machine',
    values: ['INVITED', 'JOINED', 'REVOKED'],
    meaning: 'A machine was revoked; administrators see it.',
  },
  'ha.primary': {
    subject: 'HaCluster',
    values: ['LEADS'],
    meaning:
      'A host of the database became its primary; `reason` contains both hosts, the cause, and how long there was no primary. Only administrators see this event.',
  },
  'ha.copies': {
    subject: 'HaCluster',
    values: ['ONE_COPY', 'IN_SYNC'],
    meaning:
      'The next acknowledged write is on one host of the database, or on two; `reason` names them. Only administrators see this event.',
  },
  'ha.promotion': {
    subject: 'HaCluster',
    values: ['ON', 'PAUSED'],
    meaning:
      'While it is paused, no host of the database takes over from a lost primary. Only administrators see this event.',
  },
  'publishedOperation.added': {
    subject: 'PublishedOperation',
    values: ['PUBLISHED'],
    meaning: 'An operation was published; `reason` is its name. Administrators see it.',
  },
  'publishedOperation.removed': {
    subject: 'PublishedOperation',
    values: ['PUBLISHED', 'REMOVED'],
    meaning: 'A published operation was removed; `reason` is its name. Administrators see it.',
  },
  'alert.state': {
    subject: 'Alert',
    values: ['FIRING', 'ACKNOWLEDGED', 'RESOLVED'],
    meaning: 'An alert fired, was acknowledged or was resolved; `reason` has the cause, for people.',
  },
  'alertRule.state': {
    subject: 'AlertRule',
    values: ['ENABLED', 'DISABLED', 'DELETED'],
    meaning: 'An alert rule was created, changed or deleted.',
  },
  'alertRule.checkedIn': {
    subject: 'AlertRule',
    values: ['ENABLED', 'DISABLED'],
    meaning: 'A job checked in at an alert rule.',
  },
  'alertChannel.state': {
    subject: 'AlertChannel',
    values: ['ENABLED', 'DISABLED', 'DELETED'],
    meaning: 'An alert channel was created, changed or deleted.',
  },
  'apiToken.revoked': { subject: 'ApiToken', values: ['ACTIVE', 'REVOKED'], meaning: 'An API token was revoked.' },
});
