// Resolvers of login, refresh, logout and `me`.
import type { LoginPayload, Resolvers } from '../../../../generated/graph/system.ts';
import { heldRole, visibleProjects } from '../../../../platform/caller/identity.ts';
import { toUserErrors } from '../../../../platform/edge/mutation.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import type { ProjectStore } from '../stores/project-store.ts';
import type { SessionService, TokenPair } from './session-service.ts';

const mostProjectsShown = 100;

export function accessResolvers(options: { sessions: SessionService; projects: ProjectStore }): Resolvers {
  const { sessions, projects } = options;
  return {
    Query: {
      async me(_, _args, context) {
        const identity = caller(context);
        const visible = visibleProjects(identity);
        const take = visible === 'all' ? mostProjectsShown : visible.length;
        const rows = await projects.firstOf(visible, take);
        const held = rows.map((project) => ({ project, role: heldRole(identity, project.id) ?? 'VIEWER' }));
        return { name: identity.name, admin: identity.admin, projects: held };
      },
    },
    Viewer: {
      sessions: (_, _args, context) => sessions.sessionsOf(caller(context)),
    },
    Mutation: {
      login: (_, { input }, context) => tokens(() => sessions.login(context, input)),
      sessionStart: (_, { input }, context) => tokens(() => sessions.start(context, input.code)),
      sessionRefresh: (_, { input }, context) => tokens(() => sessions.refresh(context, input.refreshToken)),
      async logout(_, { input }, context) {
        const identity = caller(context);
        try {
          const sessionsEnded = await sessions.logout(context, identity, input?.others ?? false);
          return { sessionsEnded, userErrors: [] };
        } catch (error) {
          return { userErrors: userErrorsOf(error) };
        }
      },
    },
  };
}

async function tokens(work: () => Promise<TokenPair>): Promise<LoginPayload> {
  try {
    return { ...(await work()), userErrors: [] };
  } catch (error) {
    return { userErrors: userErrorsOf(error) };
  }
}

function userErrorsOf(error: unknown) {
  const userErrors = toUserErrors(error);
  if (userErrors === undefined) throw error;
  return userErrors;
}
