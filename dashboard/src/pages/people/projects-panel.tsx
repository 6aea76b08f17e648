// The projects that the viewer may see, with the number of their members.
import { useCallback } from 'react';
import { PeopleProjectsDocument, type PeopleProjectsQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { CreateLink } from '../../forms/create-link.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import type { PeopleControl } from './filters.ts';
import { projectType } from './kinds.ts';
import { OpenLink } from './open-link.tsx';
import { RoleName } from './roles.tsx';
import { everyMs, useNews } from './use-news.ts';

type Project = PeopleProjectsQuery['projects']['nodes'][number];

export function ProjectsPanel({ control: { filters } }: { readonly control: PeopleControl }) {
  const { requester } = useDependencies();
  const text = useSettled(filters.text) || null;
  const readPage = useCallback(
    async (after: string | null) => (await requester.request(PeopleProjectsDocument, { text, after })).projects,
    [requester, text],
  );
  const paged = usePaged(readPage, useNews(), everyMs);
  return (
    <PagedPanel
      name="projects"
      title="Projects"
      paged={paged}
      none={text === null ? 'You are not a member of any project. Ask an administrator.' : 'No project matches.'}
      tools={<CreateLink kind="Project">Add a project</CreateLink>}
      keyOf={({ id }) => id}
      item={(project) => <ProjectItem project={project} />}
    />
  );
}

function ProjectItem({ project }: { readonly project: Project }) {
  const { id, name, description, viewerRole, members } = project;
  return (
    <span className="line">
      <OpenLink type={projectType} id={id} name={name} isRow />
      <span>{members.totalCount === 1 ? '1 member' : `${members.totalCount ?? 'more than 10,000'} members`}</span>
      {viewerRole !== null && (
        <span className="dim">
          your role: <RoleName role={viewerRole} />
        </span>
      )}
      {description !== '' && <span className="dim">{description}</span>}
    </span>
  );
}
