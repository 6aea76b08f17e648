// A link to another page of the dashboard, which is opened without loading a document.
import type { ComponentProps } from 'react';
import { go, hrefOf } from '../route.ts';

interface LinkProps extends Omit<ComponentProps<'a'>, 'href'> {
  readonly href: string;
}

export function Link({ href, children, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={hrefOf(href)}
      onClick={(event) => {
        // The browser handles clicks that open another tab or window.
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(href);
      }}
    >
      {children}
    </a>
  );
}
