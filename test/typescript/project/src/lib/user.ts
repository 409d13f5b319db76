import { Required } from './decorators';
import { Post } from './post';

export class User {
  @Required() first!: Post;

  static post(): Post {
    return new Post();
  }
}
