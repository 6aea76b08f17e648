// Resolvers of alerts, their rules and channels.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { deletePayload, payload } from '../../../../platform/edge/mutation.ts';
import { actorOf } from '../../../../platform/graph/actor.ts';
import { caller, operatedProjects, projectsFor, requireOperatorsRead } from '../../../../platform/input/authorise.ts';
import { encodeCmpObject } from '../../../../platform/pages/cmp-object.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import { dashboardLink } from '../../rules/alerts/dashboard-link.ts';
import type { Entities } from '../entities.ts';
import { nodeByKey } from '../nodes/node.ts';
import type { AlertChannelStore } from '../stores/alert-channel-store.ts';
import type { DeliveryStore } from '../stores/alert-delivery-store.ts';
import type { AlertRuleStore } from '../stores/alert-rule-store.ts';
import type { AlertStore } from '../stores/alert-store.ts';
import type { AlertService } from './alert-service.ts';
import type { AlertChannelService } from './channel-service.ts';
import type { AlertRuleService } from './rule-service.ts';
import type { AlertTargetService } from './target-service.ts';

interface AlertParts {
  readonly rules: AlertRuleStore;
  readonly channels: AlertChannelStore;
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly ruleService: AlertRuleService;
  readonly channelService: AlertChannelService;
  readonly targetService: AlertTargetService;
  readonly alertService: AlertService;
  /** Null if alerts have no links. */
  readonly dashboardUrl: string | null;
}

const ruleChannels = Symbol('channels of alert rules');
const silentRules = Symbol('silent alert rules');

type ResolverParts = AlertParts & { readonly entities: Entities };

export function alertResolvers(parts: ResolverParts): Resolvers {
  return {
    Query: queries(parts),
    Mutation: mutations(parts),
    AlertRule: ruleFields(parts),
    AlertChannel: channelFields(parts),
    AlertDelivery: {
      test: ({ kind }) => kind === 'TEST',
      deliveryState: ({ state }) => state,
      nextAttemptAt: ({ nextAt }) => nextAt,
    },
    Alert: alertFields(parts),
  };
}

function queries({ rules, channels, alerts, entities }: ResolverParts): Required<Resolvers>['Query'] {
  return {
    alertRules: (_, args, context) => rules.page({ ...args, projects: projectsFor(caller(context), args.projectId) }),
    alertRule: async (_, { id }, context) => {
      caller(context);
      return (await entities.alertRule(context, decodeUuid('AlertRule', id) ?? '')) ?? null;
    },
    alertChannels(_, args, context) {
      const identity = caller(context);
      requireOperatorsRead(identity, args.projectId, 'alert channels');
      return channels.page({ ...args, projects: projectsFor(identity, args.projectId, operatedProjects(identity)) });
    },
    alertChannel: async (_, { id }, context) => {
      caller(context);
      return (await entities.alertChannel(context, decodeUuid('AlertChannel', id) ?? '')) ?? null;
    },
    alerts: (_, args, context) => alerts.page({ ...args, projects: projectsFor(caller(context), args.projectId) }),
    alert: async (_, { id }, context) => {
      caller(context);
      return (await entities.alert(context, decodeUuid('Alert', id) ?? '')) ?? null;
    },
  };
}

function mutations({
  ruleService,
  channelService,
  targetService,
  alertService,
}: ResolverParts): Required<Resolvers>['Mutation'] {
  return {
    alertRuleCreate: (_, { input }, context) => payload('alertRule', ruleService.create(context, input)),
    alertRuleUpdate: (_, { input }, context) => payload('alertRule', ruleService.update(context, input)),
    alertRuleDelete: (_, { input }, context) =>
      deletePayload('alertRule', input.id, ruleService.delete(context, input)),
    alertRuleCheckIn: (_, { input }, context) => payload('alertRule', ruleService.checkIn(context, input)),
    async alertChannelCreate(_, { input }, context) {
      const { entity, secret, userErrors, commit } = await channelService.create(context, input);
      return { alertChannel: entity, secret, userErrors, commit };
    },
    async alertChannelUpdate(_, { input }, context) {
      const { entity, secret, userErrors, commit } = await channelService.update(context, input);
      return { alertChannel: entity, secret, userErrors, commit };
    },
    alertChannelDelete: (_, { input }, context) =>
      deletePayload('alertChannel', input.id, channelService.delete(context, input)),
    alertChannelTest: (_, { input }, context) => payload('alertDelivery', channelService.test(context, input)),
    async alertTargetTest(_, { input }, context) {
      const { userErrors, commit } = await targetService.test(context, input);
      return { userErrors, commit };
    },
    alertAcknowledge: (_, { input }, context) => payload('alert', alertService.acknowledge(context, input)),
    alertEnd: (_, { input }, context) => payload('alert', alertService.end(context, input)),
  };
}

function ruleFields({ rules, entities }: ResolverParts): Required<Resolvers>['AlertRule'] {
  return {
    async __resolveReference({ id }, context) {
      caller(context);
      return (await entities.alertRule(context, decodeUuid('AlertRule', id) ?? '')) ?? null;
    },
    id: ({ id }) => encodeId('AlertRule', id),
    project: async ({ projectId }, _, context) =>
      projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
    watchedSubject: ({ subjectType, subjectId }, _, context) =>
      subjectType === null || subjectId === null ? null : nodeByKey(entities, context, subjectType, subjectId),
    async channels({ id, projectId }, _, context) {
      if (!mayReadChannels(caller(context), projectId)) return [];
      const ids = (await loader(context, ruleChannels, id, (some) => rules.channelsOf(some))) ?? [];
      const found = await Promise.all(ids.map((each) => entities.alertChannel(context, each)));
      return found.filter((channel) => channel !== undefined);
    },
    silent: async ({ id }, _, context) =>
      (await loader(context, silentRules, id, (some) => rules.silentAmong(some))) ?? true,
  };
}

function channelFields({ deliveries, entities }: ResolverParts): Required<Resolvers>['AlertChannel'] {
  return {
    async __resolveReference({ id }, context) {
      caller(context);
      return (await entities.alertChannel(context, decodeUuid('AlertChannel', id) ?? '')) ?? null;
    },
    id: ({ id }) => encodeId('AlertChannel', id),
    project: async ({ projectId }, _, context) =>
      projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
    channelKind: ({ kind }) => kind,
    default: ({ isDefault }) => isDefault,
    destination: ({ spec: { place } }) => `${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`,
    recipients: ({ spec }) => [...spec.recipients],
    sender: ({ spec }) => spec.sender,
    mailSecurity: ({ spec }) => spec.place.mailSecurity,
    userName: ({ spec }) => spec.userName,
    caCertificates: ({ spec }) => spec.place.caCertificates,
    quietTimes: ({ spec }) =>
      spec.quietHours.map(({ days, from, until }) => ({ days: [...days], startTime: from, endTime: until })),
    timeZone: ({ spec }) => spec.timeZone,
    groupMs: ({ spec }) => spec.groupMs,
    givenUpCount: ({ givenUp }) => givenUp,
    deliveries: ({ id }, args) => deliveries.pageOf(id, args),
  };
}

function alertFields({ dashboardUrl, entities }: ResolverParts): Required<Resolvers>['Alert'] {
  return {
    async __resolveReference({ id }, context) {
      caller(context);
      return (await entities.alert(context, decodeUuid('Alert', id) ?? '')) ?? null;
    },
    id: ({ id }) => encodeId('Alert', id),
    project: async ({ projectId }, _, context) =>
      projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
    rule: async ({ ruleId }, _, context) => (await entities.alertRule(context, ruleId)) ?? null,
    alertState: ({ state }) => state,
    subjectId: ({ subjectType, subjectId }) => encodeId(subjectType, subjectId),
    subject: ({ subjectType, subjectId }, _, context) => nodeByKey(entities, context, subjectType, subjectId),
    cmpObject: ({ cmpObject }) => (cmpObject === null ? null : { id: encodeCmpObject(cmpObject), ...cmpObject }),
    link: ({ subjectType: type, subjectId }) => dashboardLink(dashboardUrl, { type, id: encodeId(type, subjectId) }),
    acknowledgedAt: ({ acknowledgement }) => acknowledgement?.at ?? null,
    acknowledgedBy: ({ acknowledgement }) =>
      acknowledgement === null ? null : actorOf({ ...acknowledgement, kind: acknowledgement.kind as Identity['kind'] }),
  };
}

function mayReadChannels(identity: Identity, projectId: string | null): boolean {
  if (projectId === null) return identity.admin;
  const operated = operatedProjects(identity);
  return operated === 'all' || operated.includes(projectId);
}
