/** Error codes of RFC 9113 §7. */
export const ErrorCode = { none: 0, internal: 2, cancel: 8, enhanceYourCalm: 11 } as const;
