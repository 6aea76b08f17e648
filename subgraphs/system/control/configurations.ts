// The settings of projects, alert rules and alert channels for their history. What gives access to a channel's destination is never part of it.
import type { ConfigurationReaders } from '../../../platform/edge/configuration-versions.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { readChannels } from './stores/alert-channel-store.ts';
import { readRuleInside } from './stores/alert-rule-store.ts';
import { readProjectInside } from './stores/project-store.ts';

const inProject = (projectId: string | null) => ({
  projectId: projectId === null ? null : encodeId('Project', projectId),
});

export const configurations: ConfigurationReaders = {
  async Project(sql, id) {
    const row = await readProjectInside(sql, id);
    if (row === undefined) return [];
    const { name, description } = row;
    return [{ subject: 'Project', id, projectId: id, name, version: 0, settings: { name, description } }];
  },
  async AlertRule(sql, id) {
    const found = await readRuleInside(sql, id);
    if (found === undefined) return [];
    const { rule, channelIds } = found;
    const { projectId, name, condition, severity, enabled, lastsMs, withinMs, resolveAfterMs, repeatMs } = rule;
    const watched = rule.subjectType === null ? null : encodeId(rule.subjectType, rule.subjectId ?? '');
    const settings = {
      ...{ ...inProject(projectId), name, condition, severity, enabled, lastsMs, withinMs, resolveAfterMs, repeatMs },
      ...{ watchedSubjectId: watched, channelIds: channelIds.map((each) => encodeId('AlertChannel', each)) },
    };
    return [{ subject: 'AlertRule', id, projectId, name, version: rule.settingsVersion, settings }];
  },
  async AlertChannel(sql, id) {
    const row = (await readChannels(sql, [id])).get(id);
    if (row === undefined) return [];
    const { projectId, name, enabled, isDefault, spec } = row;
    const { quietHours, timeZone, groupMs, place } = spec;
    const quietTimes = quietHours.map(({ days, from: startTime, until: endTime }) => ({
      ...{ days: [...days], startTime, endTime },
    }));
    const settings = {
      ...{ ...inProject(projectId), name, enabled, default: isDefault, quietTimes, timeZone, groupMs },
      caCertificates: place.caCertificates,
    };
    return [{ subject: 'AlertChannel', id, projectId, name, version: 0, settings }];
  },
};
