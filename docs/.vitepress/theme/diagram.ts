/** A block of Mermaid as a picture, drawn in the browser. Pages without one load nothing for it. */

import script from '@mermaid-js/tiny/dist/mermaid.tiny.js?url';
import { useData } from 'vitepress';
import { defineComponent, h, onMounted, ref, watch } from 'vue';

interface Mermaid {
  initialize(options: {
    startOnLoad: boolean;
    theme: 'dark' | 'default';
    flowchart: { useMaxWidth: boolean };
    sequence: { useMaxWidth: boolean };
  }): void;
  render(id: string, text: string): Promise<{ svg: string }>;
}

declare global {
  interface Window {
    mermaid?: Mermaid;
  }
}

let loading: Promise<Mermaid> | undefined;
let count = 0;

function load(): Promise<Mermaid> {
  loading ??= new Promise((resolve, reject) => {
    const element = document.createElement('script');
    element.src = script;
    element.onload = () => (window.mermaid === undefined ? reject(new Error('no mermaid')) : resolve(window.mermaid));
    element.onerror = () => reject(new Error(`${script} cannot be loaded`));
    document.head.append(element);
  });
  return loading;
}

export const Diagram = defineComponent({
  props: { text: { type: String, required: true } },
  setup({ text }) {
    const { isDark } = useData();
    const svg = ref('');
    const source = decodeURIComponent(text);
    const draw = async () => {
      const mermaid = await load();
      const theme = isDark.value ? 'dark' : 'default';
      // At its own size, so that its text is as large as the page's: where it is too wide, it scrolls.
      const natural = { useMaxWidth: false };
      mermaid.initialize({ startOnLoad: false, theme, flowchart: natural, sequence: natural });
      svg.value = (await mermaid.render(`diagram-${++count}`, source)).svg;
    };
    onMounted(() => {
      watch(isDark, draw, { immediate: true });
    });
    // Until it is drawn, and where it cannot be, its text says the same.
    return () =>
      svg.value === ''
        ? h('div', { class: 'diagram' }, h('pre', source))
        : h('div', { class: 'diagram', innerHTML: svg.value });
  },
});
