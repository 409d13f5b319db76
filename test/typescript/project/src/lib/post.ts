import { Required } from './decorators';
import { User } from './user';

export class Post {
  @Required() author!: User;
}
