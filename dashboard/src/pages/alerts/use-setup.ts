// Makes what a template needs: the channel, if it is a new one, and then each rule. What is made stays made if a later part is refused.
import { useState } from 'react';
import {
  type AlertChannelTargetInput,
  AlertsChannelCreateDocument,
  AlertsRuleCreateDocument,
} from '../../../../generated/dashboard/graphql.ts';
import type { Failure } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { rulesOf, type templates } from './condition-words.ts';

export interface Wanted {
  readonly template: (typeof templates)[number];
  /** Null: of the installation. */
  readonly projectId: string | null;
  /** Its ID, or a new one. */
  readonly channel: string | { readonly name: string; readonly target: AlertChannelTargetInput };
}

interface Made {
  readonly rules: readonly string[];
  /** The signing secret of a new webhook. */
  readonly secret: string | null;
}

interface Setup {
  readonly isBusy: boolean;
  readonly failures: readonly Failure[];
  /** Undefined until all is made. */
  readonly made: Made | undefined;
  readonly make: (wanted: Wanted) => Promise<void>;
}

export function useSetup(): Setup {
  const channels = useMutation(AlertsChannelCreateDocument);
  const rules = useMutation(AlertsRuleCreateDocument);
  const [made, setMade] = useState<Made>();
  const [known, setKnown] = useState<{
    readonly channel: string;
    readonly id: string;
    readonly secret: string | null;
  }>();
  const [done, setDone] = useState<readonly string[]>([]);

  const channelOf = async ({ projectId, channel }: Wanted) => {
    if (typeof channel === 'string') return { id: channel, secret: null };
    const text = JSON.stringify([projectId, channel]);
    if (known?.channel === text) return known;
    const payload = await channels.send({ projectId, ...channel });
    const id = payload?.alertChannel?.id;
    if (id === undefined) return undefined;
    const created = { channel: text, id, secret: payload?.secret ?? null };
    setKnown(created);
    return created;
  };
  const make = async (wanted: Wanted): Promise<void> => {
    setMade(undefined);
    const channel = await channelOf(wanted);
    if (channel === undefined) return;
    const { projectId, template } = wanted;
    const { severity } = template;
    const names: string[] = [];
    for (const [name, condition] of rulesOf(template, projectId)) {
      const key = JSON.stringify([projectId, name, channel.id]);
      if (!done.includes(key)) {
        const payload = await rules.send({ projectId, name, condition, severity, channelIds: [channel.id] });
        if (payload === undefined) return;
        setDone((before) => [...before, key]);
      }
      names.push(name);
    }
    setMade({ rules: names, secret: channel.secret });
  };
  return {
    ...{ isBusy: channels.isBusy || rules.isBusy, failures: [...channels.failures, ...rules.failures], made, make },
  };
}
