export const LIES = {};
