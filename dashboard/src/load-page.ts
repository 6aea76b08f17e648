// Loads a page's code. After a module has failed to load, every later import of it in this document fails at once, so the document is loaded
// again. That waits until the server answers, because the browser's own error page does not try again.

import { pause } from './graph/backoff.ts';
import { keepTrying } from './graph/keep-trying.ts';
import { RequestError, type Requester, reach } from './graph/request.ts';
import type { Page, PageRow } from './page.ts';

const countKey = 'pageLoads';
const maxLoads = 3;
const pauseMs = 500;

/** Rejects when the page can't be loaded; never settles when the document is being loaded again. */
export async function loadPage(row: PageRow, requester: Requester, signal: AbortSignal): Promise<Page> {
  try {
    const { page } = await keepTrying(() => row.load(requester), signal);
    window.sessionStorage.removeItem(countKey);
    return page;
  } catch (error) {
    const loads = Number(window.sessionStorage.getItem(countKey) ?? 0) + 1;
    if (error instanceof RequestError || loads > maxLoads || signal.aborted) {
      window.sessionStorage.removeItem(countKey);
      throw error;
    }
    window.sessionStorage.setItem(countKey, String(loads));
    await pause(loads * pauseMs, signal);
    await keepTrying(() => reach('/'), signal);
    if (!signal.aborted) window.location.reload();
    return await new Promise<never>(() => undefined);
  }
}
