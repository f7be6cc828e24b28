// To come.
export const Judge = () => null;
