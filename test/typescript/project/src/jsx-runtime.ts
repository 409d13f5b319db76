export const jsx = (type: string, { children }: { children?: unknown }): string => `<${type}>${children}</${type}>`;
