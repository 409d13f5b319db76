import theme from 'vitepress/theme';
import { Diagram } from './diagram.ts';
import './style.css';

export default {
  extends: theme,
  enhanceApp({ app }: { app: { component(name: string, component: unknown): void } }) {
    app.component('Diagram', Diagram);
  },
};
